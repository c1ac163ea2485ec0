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
  /** Called when the end comes near. */
  onEnd?: () => void;
  /** Shown below the last row: that more is on its way. */
  footer?: ReactNode;
}

const WIDTHS = { sm: "(min-width: 48em)", md: "(min-width: 62em)", lg: "(min-width: 75em)" } as const;
const IMMEDIATELY = { getInitialValueInEffect: false };
/** Rows beyond the window that are drawn too, so that fast scrolling shows no gaps. */
const OVERSCAN = 12;
/** So many rows before the end more of them are asked for, so that whoever scrolls steadily does not wait. */
const NEAR_END = 60;

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

  const atEnd = (items.at(-1)?.index ?? -1) >= rows.length - 1 - NEAR_END;
  const ended = useEffectEvent(() => onEnd?.());
  useEffect(() => {
    if (atEnd) ended();
  }, [atEnd, rows.length]);

  const allSelected = selection !== undefined && rows.length > 0 && rows.every((row) => selection.ids.has(idOf(row)));
  const chosen = useRef(selection);
  useLayoutEffect(() => {
    chosen.current = selection;
  });
  const toggle = useCallback((id: string, on: boolean) => {
    const ids = new Set(chosen.current?.ids);
    if (on) ids.add(id);
    else ids.delete(id);
    chosen.current?.change(ids);
  }, []);

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
            <DrawnRow
              key={id}
              id={id}
              row={row}
              index={index}
              top={start - top}
              height={rowHeight}
              columns={shown}
              isSelected={selection?.ids.has(id)}
              name={selection?.nameOf(id)}
              select={toggle}
            />
          );
        })}
      </div>
      {footer}
    </div>
  );
}

interface DrawnRowProps<Row> {
  id: string;
  row: Row;
  index: number;
  top: number;
  height: number;
  columns: readonly Column<Row>[];
  /** Undefined where rows cannot be selected. */
  isSelected: boolean | undefined;
  name: string | undefined;
  select: (id: string, on: boolean) => void;
}

/** One row. While the table scrolls, those that stay in sight are not drawn again. */
const DrawnRow = memo(function DrawnRow<Row>({ id, row, index, top, height, columns, isSelected, name, select }: DrawnRowProps<Row>) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={classes.row}
      data-selected={isSelected === true || undefined}
      style={{ height, transform: `translateY(${top}px)` }}
    >
      {isSelected !== undefined && (
        <div role="cell" className={classes.cell}>
          <Checkbox
            size="xs"
            className={classes.above ?? ""}
            aria-label={`Select ${name ?? id}`}
            checked={isSelected}
            onChange={(event) => {
              select(id, event.currentTarget.checked);
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
}) as <Row>(props: DrawnRowProps<Row>) => ReactNode;
