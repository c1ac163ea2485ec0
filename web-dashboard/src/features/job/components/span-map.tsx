import { SegmentedControl } from "@mantine/core";
import type { Job } from "@offpeak/sdk";
import { useState } from "react";
import { clockTime } from "../../../lib/format";
import { isOpen } from "../../../lib/jobs";
import type { JobMap, MapTrack } from "../api/job";
import { cells, type CellState, machines, type MachineAtMap, runs, summary } from "../map";
import { SpanRow } from "./span-row";
import classes from "./span-map.module.css";

type ColourBy = "state" | "machine";

export const CELL_WORDS: Record<CellState, string> = {
  made: "Made",
  making: "Being made",
  claimed: "Next for its machine",
  suspended: "Paused, somebody is at the machine",
  silent: "Machine fell silent",
  waiting: "Waiting",
  failed: "Failed",
};

interface Props {
  job: Job;
  map: JobMap;
}

/** Who makes what: a row per rendition, a cell per segment. */
export function SpanMap({ job, map }: Props) {
  // When all is made, states say nothing any more; who made what still does.
  const [chosen, setColour] = useState<ColourBy>();
  const colour = chosen ?? (isOpen(job) || map.agents.length < 2 ? "state" : "machine");
  const [pointed, setPointed] = useState<string>();
  const workers = machines(map);
  const order = new Map(workers.map(({ id }) => id).sort().map((id, index) => [id, index]));
  const names = new Map(map.agents.map(({ id, name }) => [id, name]));
  const label = (id: string) => {
    const rendition = job.progress.renditions.find((rendition) => rendition.id === id);
    return rendition?.height == null ? "Sound" : `${rendition.height}p`;
  };
  const states = new Set(map.tracks.flatMap((track) => cells(track).map(({ state }) => state)));

  return (
    <div className={classes.map} data-testid="span-map">
      <p className={classes.hidden} aria-live="off">
        {summary(map)}
      </p>
      <div className={classes.rows} aria-hidden>
        {map.tracks.map((track) =>
          track.renditions.map((id) => (
            <div key={id} className={classes.row}>
              <span className={classes.label}>{label(id)}</span>
              <SpanRow
                cells={cells(track)}
                names={names}
                secondsPerSegment={map.segment_seconds ?? 0}
                colour={colour}
                order={order}
                pointed={pointed}
                size={track.kind === "audio" ? "slim" : "full"}
              />
            </div>
          )),
        )}
        <Ruler map={map} />
      </div>
      <div className={classes.below}>
        <Legend states={states} colour={colour} />
        <SegmentedControl
          size="xs"
          value={colour}
          aria-label="What colours mean"
          onChange={(value) => {
            setColour(value === "machine" ? "machine" : "state");
          }}
          data={[
            { value: "state", label: "By state" },
            { value: "machine", label: "By machine" },
          ]}
        />
      </div>
      {workers.length > 0 && (
        <ul className={classes.machines} aria-label="Machines of this job">
          {workers.map((machine) => (
            <Machine key={machine.id} machine={machine} hue={order.get(machine.id) ?? 0} colour={colour} point={setPointed} />
          ))}
        </ul>
      )}
      <details className={classes.table}>
        <summary>As a table</summary>
        <RunsTable map={map} label={label} names={names} />
      </details>
    </div>
  );
}

function Machine({ machine, hue, colour, point }: { machine: MachineAtMap; hue: number; colour: ColourBy; point: (id: string | undefined) => void }) {
  const { id, name, made, now, state, framesPerSecond } = machine;
  const words = { encoding: `at ${now ?? ""}`, suspended: `paused at ${now ?? ""}: somebody is there`, silent: `silent since ${now ?? ""}`, idle: "" }[state];
  return (
    <li
      className={classes.machine}
      data-state={state}
      onPointerEnter={() => {
        point(id);
      }}
      onPointerLeave={() => {
        point(undefined);
      }}
    >
      <span className={classes.swatch} data-hue={colour === "machine" ? hue % 8 : undefined} data-state={state} />
      <span className={classes.machineName}>{name}</span>
      <span className={classes.machineNow}>
        {words}
        {state === "encoding" && framesPerSecond > 0 ? ` · ${Math.round(framesPerSecond)} fps` : ""}
      </span>
      <span className={classes.made}>{made === 1 ? "1 segment" : `${made} segments`}</span>
    </li>
  );
}

const LEGEND: CellState[] = ["made", "making", "claimed", "suspended", "silent", "waiting", "failed"];

function Legend({ states, colour }: { states: ReadonlySet<CellState>; colour: ColourBy }) {
  if (colour === "machine") return <span className={classes.note}>Each machine has a colour; pale is what it holds.</span>;
  return (
    <ul className={classes.legend} aria-label="Colours">
      {LEGEND.filter((state) => states.has(state)).map((state) => (
        <li key={state}>
          <span className={classes.key} data-state={state} />
          {CELL_WORDS[state]}
        </li>
      ))}
    </ul>
  );
}

/** Times under the rows. */
function Ruler({ map }: { map: JobMap }) {
  const total = Math.max(...map.tracks.map(({ segments_total }) => segments_total), 1) * (map.segment_seconds ?? 0);
  if (total === 0) return null;
  return (
    <div className={classes.row}>
      <span />
      <div className={classes.ruler}>
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share}>{clockTime(share * total)}</span>
        ))}
      </div>
    </div>
  );
}

function RunsTable({ map, label, names }: { map: JobMap; label: (id: string) => string; names: ReadonlyMap<string, string> }) {
  const rows = map.tracks.flatMap((track: MapTrack) => runs(cells(track)).map((run) => ({ track, run })));
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label="Segments as a table">
      <table>
        <thead>
          <tr>
            <th scope="col">Renditions</th>
            <th scope="col">Segments</th>
            <th scope="col">State</th>
            <th scope="col">Machine</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ track, run }) => (
            <tr key={`${track.kind}-${run.first}`}>
              <td>{track.renditions.map(label).join(", ")}</td>
              <td>{run.last - run.first === 1 ? run.first : `${run.first}–${run.last - 1}`}</td>
              <td>{CELL_WORDS[run.state]}</td>
              <td>{run.agent === undefined ? "–" : (names.get(run.agent) ?? run.agent)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

