import { Checkbox } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useCallback, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import classes from "./data-table.module.css";

export interface Column<Row> {
  id: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** A track of a CSS grid: `minmax(12rem, 2fr)`, `7rem`. */
  width: string;
  align?: "start" | "end";
  /** Left out on narrower windows: `sm` 48 em, `md` 62 em, `lg` 75 em. */
  from?: "sm" | "md" | "lg";
}

interface Selection {
  ids: ReadonlySet<string>;
  change: (ids: ReadonlySet<string>) => void;
  /** What a row is called: "Select holiday.mov". */
  nameOf: (id: string) => string;
}

interface Props<Row> {
  label: string;
  rows: readonly Row[];
  idOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  rowHeight?: number;
  selection?: Selection;
  /** How many there are in all, when not all are loaded yet. */
  total?: number;
  /** Called when the end comes into sight. */
  onEnd?: () => void;
  /** Shown below the last row: that more is on its way. */
  footer?: ReactNode;
}

const WIDTHS = { sm: "(min-width: 48em)", md: "(min-width: 62em)", lg: "(min-width: 75em)" } as const;
const IMMEDIATELY = { getInitialValueInEffect: false };
/** Rows beyond the window that are drawn too, so that fast scrolling shows no gaps. */
const OVERSCAN = 12;

/** A table of any length: only rows in sight are drawn. It scrolls with the window. Rows have all the same height. */
export function DataTable<Row>({ label, rows, idOf, columns, rowHeight = 52, selection, total, onEnd, footer }: Props<Row>) {
  const sm = useMediaQuery(WIDTHS.sm, true, IMMEDIATELY);
  const md = useMediaQuery(WIDTHS.md, true, IMMEDIATELY);
  const lg = useMediaQuery(WIDTHS.lg, true, IMMEDIATELY);
  const shown = useMemo(() => {
    const fits = { sm, md, lg };
    return columns.filter(({ from }) => from === undefined || fits[from]);
  }, [columns, sm, md, lg]);
  const template = [...(selection === undefined ? [] : ["2.25rem"]), ...shown.map(({ width }) => width)].join(" ");

  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (body.current !== null) setTop(body.current.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => {
      observer.disconnect();
    };
  }, []);
  const virtualizer = useWindowVirtualizer({ count: rows.length, estimateSize: () => rowHeight, overscan: OVERSCAN, scrollMargin: top });
  const items = virtualizer.getVirtualItems();

  const atEnd = (items.at(-1)?.index ?? -1) >= rows.length - 1;
  const ended = useEffectEvent(() => onEnd?.());
  useEffect(() => {
    if (atEnd) ended();
  }, [atEnd, rows.length]);

  const allSelected = selection !== undefined && rows.length > 0 && rows.every((row) => selection.ids.has(idOf(row)));
  const toggle = useCallback(
    (id: string, on: boolean) => {
      const ids = new Set(selection?.ids);
      if (on) ids.add(id);
      else ids.delete(id);
      selection?.change(ids);
    },
    [selection],
  );

  return (
    <div role="table" aria-label={label} aria-rowcount={(total ?? rows.length) + 1} className={classes.table} style={{ "--template": template }}>
      <div role="rowgroup" className={classes.head}>
        <div role="row" aria-rowindex={1} className={classes.row}>
          {selection !== undefined && (
            <div role="columnheader" className={classes.cell}>
              <Checkbox
                size="xs"
                aria-label="Select all rows that are loaded"
                checked={allSelected}
                indeterminate={!allSelected && selection.ids.size > 0}
                onChange={(event) => {
                  selection.change(new Set(event.currentTarget.checked ? rows.map(idOf) : []));
                }}
              />
            </div>
          )}
          {shown.map(({ id, header, align }) => (
            <div key={id} role="columnheader" className={classes.cell} data-align={align}>
              {header}
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" ref={body} className={classes.body} style={{ height: virtualizer.getTotalSize() }}>
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const id = idOf(row);
          return (
            <Line
              key={id}
              id={id}
              row={row}
              index={index}
              top={start - top}
              height={rowHeight}
              columns={shown as readonly Column<unknown>[]}
              selected={selection?.ids.has(id)}
              name={selection?.nameOf(id)}
              toggle={toggle}
            />
          );
        })}
      </div>
      {footer}
    </div>
  );
}

interface LineProps {
  id: string;
  row: unknown;
  index: number;
  top: number;
  height: number;
  columns: readonly Column<unknown>[];
  /** Undefined where nothing can be selected. */
  selected: boolean | undefined;
  name: string | undefined;
  toggle: (id: string, on: boolean) => void;
}

/** One row; drawn anew only when something of it has changed, so that scrolling costs only the rows that come into sight. */
const Line = memo(function Line({ id, row, index, top, height, columns, selected, name, toggle }: LineProps) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={classes.row}
      data-selected={selected === true || undefined}
      style={{ height, transform: `translateY(${top}px)` }}
    >
      {selected !== undefined && (
        <div role="cell" className={classes.cell}>
          <Checkbox
            size="xs"
            className={classes.above ?? ""}
            aria-label={`Select ${name ?? id}`}
            checked={selected}
            onChange={(event) => {
              toggle(id, event.currentTarget.checked);
            }}
          />
        </div>
      )}
      {columns.map(({ id: column, cell, align }) => (
        <div key={column} role="cell" className={classes.cell} data-align={align}>
          {cell(row)}
        </div>
      ))}
    </div>
  );
});
