import { ActionIcon, Button, Menu, SegmentedControl } from "@mantine/core";
import { IconDots, IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { Bar } from "../../components/bar";
import { Copyable } from "../../components/copy";
import { Facts, Figure } from "../../components/facts";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { Failed, Loaded, Loading } from "../../components/states";
import { Status, Tag } from "../../components/status";
import { WeekGrid } from "../../components/week-grid";
import { groupsQuery } from "../../lib/groups";
import { duration } from "../../lib/time";
import { type AgentDetail, agentQuery, HISTORY_DAYS, historyQuery } from "./api/agents";
import { type Asked, MachineDialog, useMachineActs } from "./components/machine-dialogs";
import classes from "./components/machines.module.css";
import { type Aspect, byHourOfWeek, contribution, habitsInWords } from "./habits";
import { eventWords, explain, sandboxWords, shown, systemName } from "./words";

const route = getRouteApi("/machines/$machine");
const BACK = { to: "/machines", label: "Machines" } as const;

export function MachinePage() {
  const { machine } = route.useParams();
  const agent = useQuery(agentQuery(machine));
  if (agent.data === undefined) {
    return (
      <Page title="Machine" back={BACK}>
        <Panel>{agent.error === null ? <Loading /> : <Failed error={agent.error} retry={() => void agent.refetch()} />}</Panel>
      </Page>
    );
  }
  return <Machine agent={agent.data} />;
}

function Machine({ agent }: { agent: AgentDetail }) {
  const { data: groups = [] } = useQuery(groupsQuery);
  const groupName = (id: string) => groups.find((group) => group.id === id)?.name ?? "a group that is gone";
  const { label, tone, moves } = shown(agent);
  return (
    <Page
      title={agent.name}
      back={BACK}
      badge={
        <Status tone={tone} pulse={moves}>
          {label}
        </Status>
      }
      actions={agent.standing === "revoked" ? undefined : <Acts agent={agent} />}
    >
      <div className={classes.layout}>
        <div className={classes.column}>
          <Now agent={agent} />
          <Habits id={agent.id} />
          {agent.failures.length > 0 && <Failures agent={agent} />}
        </div>
        <div className={classes.column}>
          <Panel title="Machine">
            <Facts items={facts(agent, groupName(agent.group))} />
          </Panel>
          <Panel title="What happened">
            {agent.events.length === 0 ? (
              <p className={classes.fine}>Nothing in the last 31 days.</p>
            ) : (
              <ol className={classes.events}>
                {agent.events.map(({ kind, at, data }) => (
                  <li key={`${kind} ${at}`} className={classes.event}>
                    <span>{eventWords(kind, data, groupName)}</span>
                    <RelativeTime at={at} className={classes.fine ?? ""} />
                  </li>
                ))}
              </ol>
            )}
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function Acts({ agent }: { agent: AgentDetail }) {
  const [asked, ask] = useState<Asked>();
  const { resume, revoke } = useMachineActs();
  const agents = [agent];
  return (
    <>
      {agent.standing === "active" ? (
        <Button
          variant="default"
          leftSection={<IconPlayerPause size={16} />}
          onClick={() => {
            ask({ kind: "drain", agents });
          }}
        >
          Drain
        </Button>
      ) : (
        <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => void resume(agents)}>
          Resume
        </Button>
      )}
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More to do with this machine">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => {
              ask({ kind: "rename", agents });
            }}
          >
            Rename…
          </Menu.Item>
          <Menu.Item
            onClick={() => {
              ask({ kind: "move", agents });
            }}
          >
            Move to a group…
          </Menu.Item>
          {agent.standing !== "draining" && agent.standing !== "active" && (
            <Menu.Item
              onClick={() => {
                ask({ kind: "drain", agents });
              }}
            >
              Drain…
            </Menu.Item>
          )}
          {!(agent.standing === "set_aside" && agent.set_aside_by === "person") && (
            <Menu.Item
              onClick={() => {
                ask({ kind: "setAside", agents });
              }}
            >
              Set aside…
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => void revoke(agents)}>
            Revoke…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <MachineDialog
        asked={asked}
        onClose={() => {
          ask(undefined);
        }}
      />
    </>
  );
}

const WORK_NAMES: Record<string, string> = {
  fetch: "Fetches the source",
  probe: "Reads the source",
  encode: "Encodes",
  audio: "Encodes the sound",
  file: "Writes a file",
};

function Now({ agent }: { agent: AgentDetail }) {
  return (
    <Panel title="Now">
      <p className={classes.reason}>{explain(agent)}</p>
      <p className={classes.since}>
        Since <RelativeTime at={agent.state_since} />
        {agent.jobs_failed_in_a_row > 0 && ` · failed tasks of ${agent.jobs_failed_in_a_row} of 3 jobs in a row`}
      </p>
      {agent.leases.map((lease) => {
        const length = Math.max(1, lease.last - lease.first);
        const done = (lease.cursor - lease.first) / length;
        return (
          <div key={lease.id} className={classes.lease}>
            <div className={classes.leaseLine}>
              <span>
                {WORK_NAMES[lease.kind] ?? lease.kind}
                {lease.kind === "encode" && (length === 1 ? ` segment ${lease.last}` : ` segments ${lease.first + 1} to ${lease.last}`)} of{" "}
                <Link to="/jobs/$job" params={{ job: lease.job }}>
                  a job
                </Link>
                {lease.state === "suspended" && ", suspended"}
              </span>
              <span className={classes.fine}>
                {lease.real_time_speed > 0 &&
                  `${lease.real_time_speed.toFixed(1)} × real time · ${Math.round(lease.frames_per_second)} frames/s · `}
                begun <RelativeTime at={lease.granted_at} />
              </span>
            </div>
            {lease.last > lease.first && (
              <Bar fraction={done} label={`${lease.cursor - lease.first} of ${lease.last - lease.first} segments handed over`} />
            )}
          </div>
        );
      })}
    </Panel>
  );
}

function Habits({ id }: { id: string }) {
  const history = useQuery(historyQuery(id));
  const [aspect, setAspect] = useState<Aspect>("free");
  return (
    <Panel
      title="Its week"
      about={`Each hour of the week over the last ${HISTORY_DAYS} days, by your clock.`}
      aside={
        <SegmentedControl
          size="xs"
          aria-label="What is shown"
          value={aspect}
          onChange={(value) => {
            setAspect(value === "encoding" ? "encoding" : "free");
          }}
          data={[
            { value: "free", label: "Free for work" },
            { value: "encoding", label: "Encoding" },
          ]}
        />
      }
    >
      <Loaded query={history}>
        {({ hours }) => {
          const cells = byHourOfWeek(hours, aspect);
          const { encodingSeconds, freeSeconds, knownSeconds } = contribution(hours);
          return (
            <>
              <WeekGrid
                cells={cells}
                label={habitsInWords(cells, aspect)}
                caption="The stronger the colour, the more. Point at an hour to read it."
              />
              <div className={classes.figures}>
                <Figure label="Encoded" value={hoursOf(encodingSeconds)} note={`in the last ${HISTORY_DAYS} days`} />
                <Figure label="Free for work" value={hoursOf(freeSeconds)} note={share(freeSeconds, knownSeconds, "of the time")} />
                <Figure label="Put to use" value={share(encodingSeconds, freeSeconds, "")} note="of the time it was free" />
              </div>
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

function hoursOf(seconds: number): string {
  return seconds < 3600 ? duration(Math.round(seconds / 60) * 60) : `${Math.round(seconds / 3600).toLocaleString("en")} h`;
}

function share(part: number, whole: number, of: string): string {
  return whole === 0 ? "–" : `${Math.round((100 * part) / whole)} % ${of}`.trim();
}

function facts(agent: AgentDetail, group: string): (readonly [string, React.ReactNode])[] {
  const { capabilities } = agent;
  const box = sandboxWords(capabilities?.sandbox);
  return [
    [
      "Group",
      <Link key="group" to="/policies/$group" params={{ group: agent.group }}>
        {group}
      </Link>,
    ],
    ["Last seen", agent.last_seen_at == null ? "never" : <RelativeTime at={agent.last_seen_at} />],
    ["Joined", <RelativeTime key="joined" at={agent.enrolled_at} />],
    ["System", capabilities == null ? undefined : systemName(capabilities.os)],
    ["Cores", capabilities?.cores],
    [
      "Memory a task",
      capabilities?.memory_mib === undefined || capabilities.memory_mib === 0
        ? undefined
        : `${(capabilities.memory_mib / 1024).toFixed(1)} GiB`,
    ],
    ["Engine", capabilities?.engine],
    [
      "ffmpeg",
      capabilities == null ? undefined : (
        // Its checksum is for those who look for it.
        <span key="ffmpeg" title={capabilities.ffmpeg}>
          {capabilities.ffmpeg.split(" sha256:")[0]}
        </span>
      ),
    ],
    [
      "Encoders",
      capabilities == null ? undefined : (
        <span className={classes.tags}>
          {capabilities.encoders.map((encoder) => (
            <Tag key={encoder}>{encoder}</Tag>
          ))}
        </span>
      ),
    ],
    [
      "Walled off",
      capabilities == null ? undefined : (
        <>
          <Tag tone={box.tone}>{box.label}</Tag>
          <div className={classes.fine}>{box.about}</div>
        </>
      ),
    ],
    ["Id", <Copyable key="id" text={agent.id} label="Copy the id" />],
  ];
}

function Failures({ agent }: { agent: AgentDetail }) {
  return (
    <Panel title="Failures" about="The last twenty tasks that it handed back with blame.">
      {agent.failures.map(({ at, job, task, code, message, log_tail }) => (
        <details key={`${task} ${at}`} className={classes.failure}>
          <summary>
            <Tag tone="bad">{code}</Tag> {message} <RelativeTime at={at} className={classes.fine ?? ""} />
          </summary>
          <p className={classes.since}>
            Of{" "}
            <Link to="/jobs/$job" params={{ job }}>
              {job}
            </Link>
          </p>
          {log_tail.length > 0 && (
            <pre className={classes.log} tabIndex={0}>
              {log_tail.join("\n")}
            </pre>
          )}
        </details>
      ))}
    </Panel>
  );
}
