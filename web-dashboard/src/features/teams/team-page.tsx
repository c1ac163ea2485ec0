import { ActionIcon, Button, Menu, Select } from "@mantine/core";
import { IconDots, IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { Copyable } from "../../components/copy";
import { Facts } from "../../components/facts";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { Empty, Failed, Loaded, Loading, LoadingRows, Problem } from "../../components/states";
import type { Schemas } from "../../lib/api";
import { addMember, peopleQuery, removeMember } from "../../lib/people";
import { sessionQuery, teamsQuery, usePerson } from "../../lib/session";
import { changeTeam, deleteTeam, membersQuery, type Team } from "./api/teams";
import { TeamForm } from "./components/team-form";
import classes from "./components/teams.module.css";
import { percent, shareOf } from "./share";

const route = getRouteApi("/teams/$team");
const BACK = { to: "/teams", label: "Teams" } as const;

export function TeamPage() {
  const { team: id } = route.useParams();
  const teams = useQuery(teamsQuery);
  const team = teams.data?.find((one) => one.id === id);
  if (team === undefined || teams.data === undefined) {
    return (
      <Page title="Team" back={BACK}>
        <Panel>
          {teams.error !== null ? (
            <Failed error={teams.error} retry={() => void teams.refetch()} />
          ) : teams.data === undefined ? (
            <Loading />
          ) : (
            <Empty title="There is no such team.">It was deleted, or it is not one of yours.</Empty>
          )}
        </Panel>
      </Page>
    );
  }
  return (
    <Page narrow title={team.name} back={BACK} actions={<Acts team={team} all={teams.data} />}>
      <Panel title="Team">
        <Facts
          items={[
            ["Weight", team.weight],
            ["Share", `${percent(shareOf(team.weight, teams.data))} of the farm, while every team wants it`],
            ["Made", <RelativeTime key="made" at={team.created_at} />],
            ["Id", <Copyable key="id" text={team.id} label="Copy the id" />],
          ]}
        />
      </Panel>
      <Members team={team} />
    </Page>
  );
}

/** Both lists know who belongs to what, and so does who is logged in. */
function useRefresh() {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["teams"] }),
      queries.invalidateQueries({ queryKey: ["people"] }),
      queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    ]);
}

function Members({ team }: { team: Team }) {
  const members = useQuery(membersQuery(team.id));
  const { data: people = [] } = useQuery(peopleQuery);
  const refresh = useRefresh();
  const notices = useNotices();
  const me = usePerson();
  const [chosen, choose] = useState<string | null>(null);
  const add = useMutation({
    mutationFn: (person: string) => addMember(team.id, person),
    onSuccess: async () => {
      choose(null);
      await refresh();
    },
  });
  const remove = async ({ person, name }: Schemas["Member"]) => {
    try {
      await removeMember(team.id, person);
      await refresh();
      notices.done(`${name} is no longer in ${team.name}`, async () => {
        await addMember(team.id, person);
        await refresh();
      });
    } catch (error) {
      notices.failed(`${name} is still in ${team.name}`, error);
    }
  };
  const inIt = new Set(members.data?.map(({ person }) => person));
  const others = people.filter(({ id, disabled }) => !inIt.has(id) && !disabled);
  return (
    <Panel title="Members" about="What they may do here is what members do, whatever their role.">
      <div className={classes.add}>
        <Select
          className={classes.who ?? ""}
          aria-label="Who is to be added"
          placeholder={others.length === 0 ? "Everybody is in it" : "Choose a person"}
          disabled={others.length === 0}
          searchable
          clearable
          data={others.map(({ id, name, email }) => ({ value: id, label: `${name} (${email})` }))}
          value={chosen}
          onChange={choose}
        />
        <Button
          leftSection={<IconUserPlus size={16} />}
          disabled={chosen === null}
          loading={add.isPending}
          onClick={() => {
            if (chosen !== null) add.mutate(chosen);
          }}
        >
          Add
        </Button>
      </div>
      <Problem error={add.error} />
      <Loaded query={members} loading={<LoadingRows rows={2} />}>
        {(all) =>
          all.length === 0 ? (
            <Empty icon={<IconUsers size={28} stroke={1.6} />} title="Nobody belongs to it yet." />
          ) : (
            <ul className={classes.members}>
              {all.map((member) => (
                <li key={member.person} className={classes.member}>
                  <div>
                    <span className={classes.name}>
                      {member.name}
                      {member.person === me.id && <span className={classes.fine}> (you)</span>}
                    </span>
                    <span className={classes.fine}>{member.email}</span>
                  </div>
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    color="red"
                    aria-label={`Remove ${member.name}`}
                    onClick={() => void remove(member)}
                  >
                    Remove
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Acts({ team, all }: { team: Team; all: readonly Team[] }) {
  const navigate = useNavigate();
  const confirm = useConfirm();
  const notices = useNotices();
  const refresh = useRefresh();
  const [editing, setEditing] = useState(false);
  const remove = async () => {
    const isDone = await confirm({
      title: `Delete ${team.name}?`,
      body: <p>Its profiles, webhooks and tokens go with it, for good. A team that still has members, jobs or sources is not deleted.</p>,
      action: "Delete it",
      danger: true,
      run: () => deleteTeam(team.id),
    });
    if (!isDone) return;
    await navigate({ to: "/teams" });
    await refresh();
    notices.done(`${team.name} deleted`);
  };
  return (
    <>
      <Button
        variant="default"
        onClick={() => {
          setEditing(true);
        }}
      >
        Edit
      </Button>
      <Menu position="bottom-end" width={180}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More to do with this team">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item color="red" onClick={() => void remove()}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {editing && (
        <TeamForm
          title={`Edit ${team.name}`}
          action="Save"
          initial={team}
          others={all.filter(({ id }) => id !== team.id)}
          onClose={() => {
            setEditing(false);
          }}
          onSubmit={async (values) => {
            await changeTeam(team.id, values);
            await refresh();
            setEditing(false);
            notices.done("Saved", async () => {
              await changeTeam(team.id, { name: team.name, weight: team.weight });
              await refresh();
            });
          }}
        />
      )}
    </>
  );
}
