import { Button, Loader, Skeleton } from "@mantine/core";
import { IconAlertTriangle, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { OffpeakError } from "../lib/api";
import classes from "./states.module.css";

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  /** What to do about it: a button or a link. */
  action?: ReactNode;
}

/** Nothing is here yet, or nothing matches. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className={classes.state}>
      {icon !== undefined && <div className={classes.icon}>{icon}</div>}
      <p className={classes.title}>{title}</p>
      {children !== undefined && <div className={classes.text}>{children}</div>}
      {action}
    </div>
  );
}

/** What a refusal or a broken connection says, in words for people. */
export function problemOf(error: unknown): { title: string; text: string; code?: string; request?: string } {
  if (error instanceof OffpeakError) {
    const { detail, hint, code, request_id } = error.problem;
    return { title: detail, text: hint ?? "", code, ...(request_id == null ? {} : { request: request_id }) };
  }
  if (error instanceof TypeError) return { title: "The server does not answer.", text: "This page asks again by itself as soon as it does." };
  return { title: "Something went wrong on this page.", text: error instanceof Error ? error.message : String(error) };
}

/** Something could not be read: what happened, what to do, and a way to try again. */
export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, text, code, request } = problemOf(error);
  return (
    <div className={classes.state} role="alert">
      <div className={classes.icon} data-tone="bad">
        <IconAlertTriangle size={28} stroke={1.6} />
      </div>
      <p className={classes.title}>{title}</p>
      {text !== "" && <div className={classes.text}>{text}</div>}
      {retry !== undefined && (
        <Button variant="default" size="sm" leftSection={<IconRefresh size={16} />} onClick={retry}>
          Try again
        </Button>
      )}
      {code !== undefined && (
        <p className={classes.fine}>
          {code}
          {request !== undefined && ` · request ${request}`}
        </p>
      )}
    </div>
  );
}

/** The same in a line, for forms and dialogues. */
export function Problem({ error }: { error: unknown }) {
  if (error == null) return null;
  const { title, text } = problemOf(error);
  return (
    <p className={classes.problem} role="alert">
      {title} {text}
    </p>
  );
}

/** A page or a part of it that is on its way. */
export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <div className={classes.state} role="status">
      <Loader size="sm" aria-hidden />
      <span className={classes.text}>{label}…</span>
    </div>
  );
}

/** Rows that are on their way. */
export function LoadingRows({ rows = 6, height = 44 }: { rows?: number; height?: number }) {
  return (
    <div role="status" aria-label="Loading" className={classes.rows}>
      {Array.from({ length: rows }, (_, row) => (
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </div>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** Shows what a query brought; until then that it loads, or why it cannot. What was read once stays while it is read again. */
export function Loaded<T>({ query, loading, children }: { query: QueryLike<T>; loading?: ReactNode; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error != null) return <Failed error={query.error} retry={() => void query.refetch()} />;
  return <>{loading ?? <Loading />}</>;
}
