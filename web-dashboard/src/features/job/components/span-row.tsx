import { useMantineColorScheme } from "@mantine/core";
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { clockTime } from "../../../lib/format";
import { type Cell, type CellState, runs } from "../map";
import classes from "./span-map.module.css";

interface Props {
  cells: Cell[];
  names: ReadonlyMap<string, string>;
  secondsPerSegment: number;
  colour: "state" | "machine";
  /** A number for each machine, for its colour. */
  order: ReadonlyMap<string, number>;
  /** The machine that is pointed at; all others step back. */
  pointed: string | undefined;
  size: "full" | "slim";
}

const HEIGHTS = { full: 26, slim: 14 };
/** Narrower cells are drawn without gaps. */
const GAP_FROM_PIXELS = 5;

const WORDS: Record<CellState, string> = {
  made: "made",
  making: "being made",
  claimed: "next",
  suspended: "paused",
  silent: "silent",
  waiting: "waiting",
  failed: "failed",
};

/** A row of cells, painted: a long film has thousands. */
export function SpanRow({ cells, names, secondsPerSegment, colour, order, pointed, size }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState<{ index: number; left: number }>();
  const { colorScheme } = useMantineColorScheme();
  const height = HEIGHTS[size];

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      setWidth(element.clientWidth);
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);

  useEffect(() => {
    const element = canvas.current;
    const paint = element?.getContext("2d");
    if (element === null || paint == null || width === 0) return;
    const ratio = window.devicePixelRatio;
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    paint.scale(ratio, ratio);
    const style = getComputedStyle(element);
    const cellWidth = width / Math.max(1, cells.length);
    const gap = cellWidth >= GAP_FROM_PIXELS ? 1.5 : 0;
    for (const run of runs(cells)) {
      const of = (name: string) => style.getPropertyValue(name).trim();
      const isMachine = colour === "machine" && run.agent !== undefined;
      paint.fillStyle = isMachine ? of(`--machine-${(order.get(run.agent ?? "") ?? 0) % 8}`) : of(`--cell-${run.state}`);
      paint.globalAlpha = (isMachine && run.state !== "made" ? 0.45 : 1) * (pointed !== undefined && run.agent !== pointed ? 0.22 : 1);
      if (gap === 0) {
        paint.fillRect(run.first * cellWidth, 0, (run.last - run.first) * cellWidth, height);
        continue;
      }
      for (let index = run.first; index < run.last; index++) {
        paint.beginPath();
        paint.roundRect(index * cellWidth + gap / 2, 0, cellWidth - gap, height, Math.min(3, cellWidth / 4));
        paint.fill();
      }
    }
  }, [cells, colour, order, pointed, width, height, colorScheme]);

  const hover = (event: PointerEvent<HTMLCanvasElement>) => {
    const { left, width: whole } = event.currentTarget.getBoundingClientRect();
    const index = Math.min(cells.length - 1, Math.max(0, Math.floor(((event.clientX - left) / whole) * cells.length)));
    setHovered({ index, left: ((index + 0.5) / cells.length) * whole });
  };
  const cell = hovered === undefined ? undefined : cells[hovered.index];
  const who = cell?.agent === undefined ? "" : ` · ${names.get(cell.agent) ?? cell.agent}`;
  return (
    <div className={classes.cells}>
      <canvas
        ref={canvas}
        className={classes.canvas}
        style={{ height }}
        onPointerMove={hover}
        onPointerLeave={() => {
          setHovered(undefined);
        }}
      />
      {hovered !== undefined && cell !== undefined && (
        <div className={classes.tip} data-end={hovered.left > width / 2 || undefined} style={{ "--left": `${hovered.left}px` }}>
          <strong>{hovered.index}</strong> · {clockTime(hovered.index * secondsPerSegment)} · {WORDS[cell.state]}
          {who}
        </div>
      )}
    </div>
  );
}
