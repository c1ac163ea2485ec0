import { Link } from "@tanstack/react-router";
import type { Schemas } from "../../../lib/api";
import { useIsOperator } from "../../../lib/session";
import { duration } from "../../../lib/time";
import { counted } from "../fleet-groups";
import classes from "./fleet-panel.module.css";

/** How many machines there are, what they do, and why those rest that rest. */
export function FleetPanel({ fleet }: { fleet: Schemas["FleetFigures"] }) {
  const groups = counted(fleet.machines);
  const total = groups.reduce((sum, { machines }) => sum + machines, 0);
  const isOperator = useIsOperator();
  if (total === 0) {
    return (
      <p className={classes.none}>
        No machine has joined yet.{" "}
        {isOperator ? <Link to="/machines/enrol">Add the first ones</Link> : "Somebody who looks after the fleet can add some."}
      </p>
    );
  }
  const { queue, backlog_seconds: backlog } = fleet;
  return (
    <div className={classes.fleet}>
      <div className={classes.bar} aria-hidden>
        {groups.map(({ group, machines }) => (
          <span key={group.name} data-tone={group.tone} style={{ "--share": machines }} />
        ))}
      </div>
      <ul className={classes.groups}>
        {groups.map(({ group, machines, reasons }) => (
          <li key={group.name}>
            <span className={classes.key} data-tone={group.tone} aria-hidden />
            <span className={classes.count}>{machines}</span>
            <span className={classes.name}>{group.name}</span>
            <span className={classes.why}>
              {Object.keys(group.states).length > 1 && reasons.map(({ machines: some, word }) => (reasons.length === 1 ? word : `${some} ${word}`)).join(", ")}
            </span>
          </li>
        ))}
      </ul>
      <p className={classes.queue}>
        {queue.tasks === 0
          ? "Nothing waits for a machine."
          : `${queue.tasks} task${queue.tasks === 1 ? "" : "s"} wait${queue.tasks === 1 ? "s" : ""}${backlog == null ? "" : `, about ${duration(backlog)} of work at the present speed`}.`}
        {backlog != null && backlog > fleet.within_seconds && fleet.machines_wanted > fleet.available && ` ${fleet.machines_wanted} machines would finish all within ${duration(fleet.within_seconds)}.`}
      </p>
    </div>
  );
}
