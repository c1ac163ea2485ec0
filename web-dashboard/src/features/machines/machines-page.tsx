import { Button, Select, TextInput } from "@mantine/core";
import { IconDeviceDesktop, IconPlus, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { ButtonLink } from "../../components/button-link";
import { Page, Panel } from "../../components/page";
import { Empty, Failed, LoadingRows } from "../../components/states";
import { groupsQuery } from "../../lib/groups";
import { compact } from "../../lib/search";
import { agentsQuery } from "./api/agents";
import { type Asked, MachineDialog, useMachineActs } from "./components/machine-dialogs";
import { MachineTable } from "./components/machine-table";
import classes from "./components/machines.module.css";
import { chosen, countKinds } from "./filter";
import { type MachinesSearch, SORTS } from "./search";
import { type Kind, KIND_LABELS, KINDS } from "./words";

const route = getRouteApi("/machines");
const SORT_LABELS: Record<(typeof SORTS)[number], string> = {
  name: "By name",
  state: "By state",
  speed: "Fastest first",
  seen: "Last seen first",
};

export function MachinesPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const revoked = search.standing === "revoked";
  const agents = useQuery(agentsQuery(revoked));
  const { data: groups = [] } = useQuery(groupsQuery);
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const [asked, ask] = useState<Asked>();
  const [typed, type] = useState(search.name ?? "");
  const [told, setTold] = useState(search.name);
  // The address changed by other means than typing: the field follows.
  if (told !== search.name) {
    setTold(search.name);
    if ((search.name ?? "") !== typed) type(search.name ?? "");
  }
  const clear = () => {
    select(new Set());
  };
  const { resume, revoke } = useMachineActs(clear);

  const all = agents.data ?? [];
  const rows = chosen(all, search);
  const counts = countKinds(all);
  const picked = all.filter(({ id }) => selected.has(id));
  const groupName = (id: string) => groups.find((group) => group.id === id)?.name ?? "–";
  const change = (next: { [K in keyof MachinesSearch]: MachinesSearch[K] | undefined }) => {
    void navigate({ search: compact({ ...search, ...next }), replace: true });
  };

  return (
    <Page
      title="Machines"
      about="Every computer that works for the farm, what it does now, and why."
      actions={
        <ButtonLink to="/machines/enrol" leftSection={<IconPlus size={16} />}>
          Add machines
        </ButtonLink>
      }
    >
      {!revoked && all.length > 0 && (
        <nav className={classes.kinds} aria-label="By state">
          <KindLink label="All" count={all.length} state={undefined} current={search.state === undefined} />
          {KINDS.map((kind) => (
            <KindLink key={kind} label={KIND_LABELS[kind]} count={counts[kind]} state={kind} current={search.state === kind} />
          ))}
        </nav>
      )}
      <div className={classes.filters} role="search">
        <TextInput
          className={classes.search ?? ""}
          aria-label="Search by name"
          placeholder="Search by name"
          leftSection={<IconSearch size={16} />}
          value={typed}
          onChange={({ currentTarget }) => {
            type(currentTarget.value);
            change({ name: currentTarget.value === "" ? undefined : currentTarget.value });
          }}
        />
        <Select
          className={classes.select ?? ""}
          aria-label="Group"
          placeholder="All groups"
          clearable
          data={groups.map(({ id, name }) => ({ value: id, label: name }))}
          value={search.group ?? null}
          onChange={(group) => {
            change({ group: group ?? undefined });
          }}
        />
        <Select
          className={classes.select ?? ""}
          aria-label="Order"
          allowDeselect={false}
          data={SORTS.map((value) => ({ value, label: SORT_LABELS[value] }))}
          value={search.sort ?? "name"}
          onChange={(sort) => {
            const next = SORTS.find((one) => one === sort && one !== "name");
            change({ sort: next ?? undefined });
          }}
        />
        <ButtonLink variant="default" to="/machines" search={revoked ? {} : { standing: "revoked" }} onClick={clear}>
          {revoked ? "Show machines of the farm" : "Show revoked"}
        </ButtonLink>
      </div>
      <Panel flush>
        {agents.data === undefined ? (
          agents.error === null ? (
            <LoadingRows rows={8} height={50} />
          ) : (
            <Failed error={agents.error} retry={() => void agents.refetch()} />
          )
        ) : rows.length > 0 ? (
          <MachineTable agents={rows} groupName={groupName} selected={selected} select={select} withGroup={groups.length > 1} />
        ) : (
          <NoMachines any={all.length > 0} revoked={revoked} />
        )}
      </Panel>
      {picked.length > 0 && !revoked && (
        <div className={classes.bulk} role="group" aria-label="What to do with the selected machines">
          <b>{picked.length} selected</b>
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              ask({ kind: "drain", agents: picked });
            }}
          >
            Drain
          </Button>
          <Button size="xs" variant="default" onClick={() => void resume(picked)}>
            Resume
          </Button>
          <Button
            size="xs"
            variant="default"
            onClick={() => {
              ask({ kind: "move", agents: picked });
            }}
          >
            Move
          </Button>
          <Button size="xs" variant="light" color="red" onClick={() => void revoke(picked)}>
            Revoke
          </Button>
          <Button size="xs" variant="subtle" color="gray" onClick={clear}>
            Clear
          </Button>
        </div>
      )}
      <MachineDialog
        asked={asked}
        onClose={() => {
          ask(undefined);
        }}
        onDone={clear}
      />
    </Page>
  );
}

function KindLink({ label, count, state, current }: { label: string; count: number; state: Kind | undefined; current: boolean }) {
  const search = route.useSearch();
  return (
    <Link
      to="/machines"
      search={compact({ ...search, state })}
      replace
      className={classes.kind}
      aria-current={current ? "true" : undefined}
    >
      {label} <b>{count}</b>
    </Link>
  );
}

function NoMachines({ any, revoked }: { any: boolean; revoked: boolean }) {
  const icon = <IconDeviceDesktop size={28} stroke={1.6} />;
  if (revoked && !any) return <Empty icon={icon} title="No machine was ever revoked." />;
  if (any) {
    return (
      <Empty
        icon={icon}
        title="No machine matches."
        action={
          <ButtonLink variant="default" to="/machines" search={{}}>
            Show all
          </ButtonLink>
        }
      />
    );
  }
  return (
    <Empty icon={icon} title="The farm has no machines yet." action={<ButtonLink to="/machines/enrol">Add the first one</ButtonLink>}>
      Any computer that is idle for a part of the day can help: it works only while nobody needs it.
    </Empty>
  );
}
