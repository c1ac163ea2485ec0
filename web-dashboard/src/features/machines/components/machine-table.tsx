import { Link } from "@tanstack/react-router";
import { type Column, DataTable } from "../../../components/data-table";
import { RelativeTime } from "../../../components/relative-time";
import { rowLink } from "../../../components/row-link";
import { Status, Tag } from "../../../components/status";
import type { Agent } from "../api/agents";
import { brief, explain, sandboxWords, shown, systemName } from "../words";
import classes from "./machines.module.css";

interface Props {
  agents: readonly Agent[];
  groupName: (id: string) => string;
  selected: ReadonlySet<string>;
  select: (ids: ReadonlySet<string>) => void;
  /** Whether the group is worth a column. */
  withGroup: boolean;
}

/** As high as a name with a line below it. */
const ROW_HEIGHT = 58;

export function MachineTable({ agents, groupName, selected, select, withGroup }: Props) {
  const names = new Map(agents.map(({ id, name }) => [id, name]));
  const columns: Column<Agent>[] = [
    {
      id: "name",
      header: "Machine",
      width: "minmax(7rem, 1.2fr)",
      cell: (agent) => (
        <div className={classes.two}>
          <Link to="/machines/$machine" params={{ machine: agent.id }} className={rowLink}>
            {agent.name}
          </Link>
          <span className={classes.fine}>{about(agent)}</span>
        </div>
      ),
    },
    {
      id: "state",
      header: "State",
      width: "minmax(9rem, 2fr)",
      cell: (agent) => {
        const { label, tone, moves } = shown(agent);
        return (
          <div className={classes.two}>
            <Status tone={tone} pulse={moves}>
              {label}
            </Status>
            <span className={classes.fine} title={explain(agent)}>
              {brief(agent)}
            </span>
          </div>
        );
      },
    },
    { id: "group", header: "Group", width: "minmax(6rem, 0.8fr)", from: "md", cell: ({ group }) => groupName(group) },
    {
      id: "speed",
      header: "Speed",
      width: "6.5rem",
      align: "end",
      from: "sm",
      cell: (agent) =>
        agent.real_time_speed > 0 ? (
          <span title={`${Math.round(agent.frames_per_second)} frames a second`}>{agent.real_time_speed.toFixed(1)} ×</span>
        ) : (
          <span className={classes.fine}>–</span>
        ),
    },
    {
      id: "sandbox",
      header: "Walled off",
      width: "6.5rem",
      from: "lg",
      cell: ({ capabilities }) => {
        const { label, tone, about } = sandboxWords(capabilities?.sandbox);
        return (
          <span title={about}>
            <Tag tone={tone}>{label}</Tag>
          </span>
        );
      },
    },
    {
      id: "version",
      header: "Engine",
      width: "4.5rem",
      from: "lg",
      cell: ({ capabilities }) => capabilities?.engine ?? <span className={classes.fine}>–</span>,
    },
    {
      id: "seen",
      header: "Last seen",
      width: "8.5rem",
      align: "end",
      from: "md",
      cell: ({ last_seen_at }) => (last_seen_at == null ? "never" : <RelativeTime at={last_seen_at} />),
    },
  ];
  return (
    <DataTable
      label="Machines"
      rows={agents}
      idOf={({ id }) => id}
      columns={withGroup ? columns : columns.filter(({ id }) => id !== "group")}
      rowHeight={ROW_HEIGHT}
      selection={{ ids: selected, change: select, nameOf: (id) => names.get(id) ?? id }}
    />
  );
}

function about({ capabilities }: Agent): string {
  if (capabilities == null) return "has not reported yet";
  return `${systemName(capabilities.os)}, ${capabilities.cores} ${capabilities.cores === 1 ? "core" : "cores"}`;
}
