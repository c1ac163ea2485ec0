import type { JobMap, MapTrack } from "./api/job";

/** What one segment of a track is at. */
export type CellState = "made" | "making" | "claimed" | "suspended" | "silent" | "waiting" | "failed";

export interface Cell {
  state: CellState;
  /** Who made it, or who is at it. */
  agent?: string;
}

/** All segments of a track, front to back. */
export function cells(track: MapTrack): Cell[] {
  const all: Cell[] = Array.from({ length: track.segments_total }, () => ({ state: "waiting" }));
  const put = (first: number, last: number, cell: Cell) => {
    for (let index = first; index < Math.min(last, all.length); index++) all[index] = cell;
  };
  for (const { first, last, agent } of track.made) put(first, last, { state: "made", ...(agent == null ? {} : { agent }) });
  for (const { first, last, holders, failed } of track.open) {
    const holder = holders.find(({ silent, state }) => !silent && state === "encoding") ?? holders[0];
    if (failed) put(first, last, { state: "failed" });
    else if (holder !== undefined) {
      const { agent } = holder;
      put(first, last, { state: holder.silent ? "silent" : holder.state === "suspended" ? "suspended" : "claimed", agent });
      // The sound is made in one go; of pictures, the first one that is missing is being made now.
      if (!holder.silent && holder.state === "encoding") put(first, track.kind === "audio" ? last : first + 1, { state: "making", agent });
    }
  }
  return all;
}

export interface Run extends Cell {
  first: number;
  last: number;
}

/** Neighbours of the same kind together: what is drawn at once, and what is read aloud as one. */
export function runs(cells: readonly Cell[]): Run[] {
  const found: Run[] = [];
  cells.forEach((cell, index) => {
    const last = found.at(-1);
    if (last?.state === cell.state && last.agent === cell.agent) last.last = index + 1;
    else found.push({ ...cell, first: index, last: index + 1 });
  });
  return found;
}

export interface MachineAtMap {
  id: string;
  name: string;
  made: number;
  /** What it is at now, in words. */
  now?: string;
  state: "encoding" | "suspended" | "silent" | "idle";
  framesPerSecond: number;
}

/** What each machine has to do with the job, busy ones first. */
export function machines(map: JobMap): MachineAtMap[] {
  const of = ({ id, name }: { id: string; name: string }): MachineAtMap => {
    const made = map.tracks.flatMap(({ made }) => made).reduce((sum, run) => sum + (run.agent === id ? run.last - run.first : 0), 0);
    for (const { kind, open } of map.tracks) {
      for (const span of open) {
        const holder = span.holders.find(({ agent }) => agent === id);
        if (holder === undefined) continue;
        return {
          id,
          name,
          made,
          now: kind === "audio" ? "sound" : span.last - span.first === 1 ? `segment ${span.first}` : `segments ${span.first}–${span.last - 1}`,
          state: holder.silent ? "silent" : holder.state,
          framesPerSecond: holder.frames_per_second,
        };
      }
    }
    return { id, name, made, state: "idle", framesPerSecond: 0 };
  };
  return map.agents.map(of).sort((a, b) => Number(a.state === "idle") - Number(b.state === "idle") || b.made - a.made || a.name.localeCompare(b.name));
}

/** The map in a sentence, for those who do not see it. */
export function summary(map: JobMap): string {
  const counts = new Map<CellState, number>();
  for (const track of map.tracks) for (const { state } of cells(track)) counts.set(state, (counts.get(state) ?? 0) + 1);
  const words: [CellState, string][] = [
    ["made", "made"],
    ["making", "being made"],
    ["claimed", "next for a machine"],
    ["suspended", "with a machine that is in use"],
    ["silent", "with a machine that fell silent"],
    ["failed", "failed"],
    ["waiting", "waiting"],
  ];
  const parts = words.flatMap(([state, word]) => (counts.has(state) ? [`${counts.get(state) ?? 0} ${word}`] : []));
  return parts.length === 0 ? "Nothing is planned yet." : `Segments: ${parts.join(", ")}.`;
}
