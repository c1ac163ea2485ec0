/** A minute's sample, as far as the chart needs it. */
interface Sample {
  at: string;
  speed: { real_time: number };
}

const DAY_SECONDS = 86_400;
/** Samples come once a minute; a longer hole means that no server was there. */
const HOLE_SECONDS = 150;

export interface Throughput {
  points: [number[], (number | null)[]];
  from: number;
  to: number;
  most: number;
  /** Over the minutes in which anything was encoded. */
  usual: number;
}

/** The samples of a day as a line that is broken where there are none. */
export function throughput(samples: readonly Sample[], now: number): Throughput {
  const to = Math.round(now / 1000);
  const times: number[] = [];
  const speeds: (number | null)[] = [];
  for (const { at, speed } of samples) {
    const seconds = Date.parse(at) / 1000;
    const before = times.at(-1);
    if (before !== undefined && seconds - before > HOLE_SECONDS) {
      times.push(before + 1);
      speeds.push(null);
    }
    times.push(seconds);
    speeds.push(speed.real_time);
  }
  const busy = samples.map(({ speed }) => speed.real_time).filter((speed) => speed > 0);
  return {
    points: [times, speeds],
    from: to - DAY_SECONDS,
    to,
    most: Math.max(0, ...busy),
    usual: busy.length === 0 ? 0 : busy.reduce((sum, speed) => sum + speed, 0) / busy.length,
  };
}
