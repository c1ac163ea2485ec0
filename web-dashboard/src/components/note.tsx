import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "./note.module.css";

/** A remark that stands out from what is around it. */
export function Note({ tone = "rest", children }: { tone?: "rest" | "work" | "warm" | "bad"; children: ReactNode }) {
  const Icon = tone === "warm" || tone === "bad" ? IconAlertTriangle : IconInfoCircle;
  return (
    <div className={classes.note} data-tone={tone} role={tone === "bad" ? "alert" : undefined}>
      <Icon size={18} stroke={1.7} aria-hidden />
      <div>{children}</div>
    </div>
  );
}
