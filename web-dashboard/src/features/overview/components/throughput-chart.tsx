import { useMantineColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import classes from "./throughput-chart.module.css";

interface Props {
  /** Seconds since 1970, and how many times as fast as it plays film was encoded. A gap is null. */
  points: [seconds: number[], speed: (number | null)[]];
  from: number;
  to: number;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

/** Speed over the last day. */
export function ThroughputChart({ points, from, to }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const { colorScheme } = useMantineColorScheme();

  useEffect(() => {
    const element = place.current;
    const tip = element?.parentElement;
    if (element === null || tip == null) return;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const soft = colour("--op-soft");
    const accent = colour("--op-accent");
    const font = "12px system-ui, sans-serif";
    const grid = { stroke: colour("--op-line"), width: 1 };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: element.clientHeight,
        padding: [12, 20, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 7 } },
        scales: { x: { time: true, range: [from, to] }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.15)] } },
        axes: [
          { size: 28, stroke: soft, font, grid: { show: false }, ticks: { show: false }, space: 70, values: (_, marks) => marks.map((at) => clock.format(at * 1000)) },
          { stroke: soft, font, grid, ticks: { show: false }, size: 44, space: 36, values: (_, marks) => marks.map((speed) => `${speed}×`) },
        ],
        series: [{}, { stroke: accent, width: 2, fill: `${accent}22`, points: { show: false } }],
        hooks: {
          setCursor: [
            (plot) => {
              const index = plot.cursor.idx;
              const speed = index == null ? null : plot.data[1]?.[index];
              const at = index == null ? undefined : plot.data[0][index];
              tip.dataset.tip = at === undefined || speed == null ? "" : `${clock.format(at * 1000)} · ${speed.toFixed(1)}×`;
            },
          ],
        },
      },
      points,
      element,
    );
    const observer = new ResizeObserver(() => {
      chart.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [points, from, to, colorScheme]);

  return (
    <div className={classes.chart} aria-hidden>
      <div ref={place} className={classes.plot} />
    </div>
  );
}
