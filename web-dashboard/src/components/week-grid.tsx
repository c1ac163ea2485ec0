import { useState } from "react";
import { DAYS, DAY_NAMES, HOURS, hourOfDay, shortDay } from "../lib/week";
import classes from "./week-grid.module.css";

export interface WeekCell {
  /** 0 to 1; undefined when nothing is known of the hour. */
  level: number | undefined;
  /** What the hour is like: `free for 45 min of it`. */
  text: string;
}

interface Props {
  /** What the picture says, in a sentence: this is all that some people get. */
  label: string;
  /** Seven days from Monday on, of 24 hours each. */
  cells: readonly (readonly WeekCell[])[];
  /** Under the picture while no hour is pointed at. */
  caption?: string;
}

/** The hours of a week, each as dark as it is full. */
export function WeekGrid({ label, cells, caption }: Props) {
  const [pointed, setPointed] = useState<{ day: number; hour: number }>();
  const day = pointed === undefined ? undefined : DAYS[pointed.day];
  const cell = pointed === undefined ? undefined : cells[pointed.day]?.[pointed.hour];
  return (
    <div>
      <div
        role="img"
        aria-label={label}
        className={classes.grid}
        onPointerLeave={() => {
          setPointed(undefined);
        }}
      >
        <span />
        {HOURS.map((hour) => (
          <span key={hour} className={classes.hour}>
            {hour % 6 === 0 ? hour : ""}
          </span>
        ))}
        {DAYS.map((name, row) => (
          <Row
            key={name}
            name={shortDay(name)}
            cells={cells[row] ?? []}
            point={(hour) => {
              setPointed({ day: row, hour });
            }}
          />
        ))}
      </div>
      <p className={classes.caption} aria-hidden>
        {day !== undefined && cell !== undefined && pointed !== undefined ? (
          <>
            <b>
              {DAY_NAMES[day]} {hourOfDay(pointed.hour)}–{hourOfDay(pointed.hour + 1)}
            </b>{" "}
            {cell.text}
          </>
        ) : (
          caption
        )}
      </p>
    </div>
  );
}

function Row({ name, cells, point }: { name: string; cells: readonly WeekCell[]; point: (hour: number) => void }) {
  return (
    <>
      <span className={classes.day}>{name}</span>
      {cells.map(({ level }, hour) => (
        <span
          key={hour}
          className={classes.cell}
          data-unknown={level === undefined || undefined}
          style={{ "--level": `${Math.round((level ?? 0) * 100)}%` }}
          onPointerEnter={() => {
            point(hour);
          }}
        />
      ))}
    </>
  );
}
