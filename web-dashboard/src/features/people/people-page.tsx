import { ActionIcon, Button, Menu } from "@mantine/core";
import { IconDots, IconUserPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { DataTable } from "../../components/data-table";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { SecretModal } from "../../components/secret-modal";
import { Loaded, LoadingRows } from "../../components/states";
import { Tag } from "../../components/status";
import type { Schemas } from "../../lib/api";
import { peopleQuery, roleName } from "../../lib/people";
import { sessionQuery, teamsQuery, usePerson } from "../../lib/session";
import { changePerson, deletePerson, type Invitation, invitationsQuery, makeResetLink, type Person, takeBack } from "./api/people";
import { EditPerson, Invite } from "./components/person-forms";
import classes from "./components/people.module.css";

const ROW_HEIGHT = 60;

type Link = Schemas["CreatedLink"];

export function PeoplePage() {
  const people = useQuery(peopleQuery);
  const queries = useQueryClient();
  const me = usePerson();
  const [inviting, setInviting] = useState(false);
  const [editing, setEditing] = useState<Person>();
  const [link, setLink] = useState<Link>();
  const refresh = () =>
    Promise.all(["people", "invitations", "teams", ...sessionQuery.queryKey].map((key) => queries.invalidateQueries({ queryKey: [key] })));

  return (
    <Page
      title="People"
      about="Who may log in, and what they may do."
      actions={
        <Button
          leftSection={<IconUserPlus size={16} />}
          onClick={() => {
            setInviting(true);
          }}
        >
          Invite
        </Button>
      }
    >
      <Panel flush>
        <Loaded query={people} loading={<LoadingRows rows={4} />}>
          {(all) => (
            <DataTable
              label="People"
              rows={all}
              idOf={({ id }) => id}
              rowHeight={ROW_HEIGHT}
              columns={[
                {
                  id: "name",
                  header: "Person",
                  width: "minmax(7.5rem, 1.4fr)",
                  cell: ({ id, name, email, disabled }) => (
                    <div className={classes.two}>
                      <span className={classes.name}>
                        {name}
                        {id === me.id && <span className={classes.fine}> (you)</span>} {disabled && <Tag tone="warm">may not log in</Tag>}
                      </span>
                      <span className={classes.fine}>{email}</span>
                    </div>
                  ),
                },
                { id: "role", header: "Role", width: "minmax(6.9rem, 0.7fr)", cell: ({ role }) => roleName(role) },
                {
                  id: "teams",
                  header: "Teams",
                  width: "minmax(8rem, 1.3fr)",
                  from: "md",
                  cell: ({ teams }) => (
                    <span className={classes.tags} title={teams.map(({ name }) => name).join(", ")}>
                      {teams.length === 0 ? (
                        <span className={classes.fine}>none</span>
                      ) : (
                        teams.map(({ id, name }) => <Tag key={id}>{name}</Tag>)
                      )}
                    </span>
                  ),
                },
                {
                  id: "seen",
                  header: "Last seen",
                  width: "8.5rem",
                  from: "sm",
                  cell: ({ last_seen_at: at }) => (at == null ? <span className={classes.fine}>never</span> : <RelativeTime at={at} />),
                },
                {
                  id: "acts",
                  header: <span className={classes.hidden}>More</span>,
                  width: "2rem",
                  align: "end",
                  cell: (person) => (
                    <PersonMenu
                      person={person}
                      edit={() => {
                        setEditing(person);
                      }}
                      told={setLink}
                      refresh={refresh}
                    />
                  ),
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      <Invitations refresh={refresh} />
      {inviting && (
        <Invite
          onClose={() => {
            setInviting(false);
          }}
          made={async (made) => {
            setInviting(false);
            setLink(made);
            await refresh();
          }}
        />
      )}
      {editing !== undefined && (
        <EditPerson
          person={editing}
          onClose={() => {
            setEditing(undefined);
          }}
          saved={async () => {
            setEditing(undefined);
            await refresh();
          }}
        />
      )}
      <SecretModal
        title={link === undefined ? "" : link.kind === "reset" ? `A new password for ${link.email}` : `The invitation of ${link.email}`}
        label="Copy the link"
        secret={link?.url}
        onClose={() => {
          setLink(undefined);
        }}
      >
        {link !== undefined && (
          <p className={classes.fine}>
            Send it to {link.email} by a way that you trust: whoever opens it first has it. It expires <RelativeTime at={link.expires_at} />
            .
          </p>
        )}
      </SecretModal>
    </Page>
  );
}

interface MenuProps {
  person: Person;
  edit: () => void;
  told: (link: Link) => void;
  refresh: () => Promise<unknown>;
}

function PersonMenu({ person, edit, told, refresh }: MenuProps) {
  const confirm = useConfirm();
  const notices = useNotices();
  const me = usePerson();
  const reset = async () => {
    let link: Link | undefined;
    const isDone = await confirm({
      title: `A new password for ${person.name}?`,
      body: <p>You get a link, good once and for a day. With the new password all of their sessions end.</p>,
      action: "Make the link",
      run: async () => {
        link = await makeResetLink(person.id);
      },
    });
    if (isDone && link !== undefined) told(link);
  };
  const disable = async (disabled: boolean) => {
    try {
      await changePerson(person.id, { disabled });
      await refresh();
      notices.done(disabled ? `${person.name} is logged out everywhere` : `${person.name} may log in`, async () => {
        await changePerson(person.id, { disabled: !disabled });
        await refresh();
      });
    } catch (error) {
      notices.failed("Nothing was changed", error);
    }
  };
  const remove = async () => {
    const isDone = await confirm({
      title: `Delete ${person.name}?`,
      body: (
        <p>
          They are logged out and cannot come back. What they made stays with its team, tokens and webhooks, too: revoke what they know.
        </p>
      ),
      action: "Delete them",
      danger: true,
      run: () => deletePerson(person.id),
    });
    if (!isDone) return;
    await refresh();
    notices.done(`${person.name} deleted`);
  };
  return (
    <Menu position="bottom-end" width={210}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" c="dimmed" aria-label={`More to do with ${person.name}`}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={edit}>Edit, role, teams…</Menu.Item>
        <Menu.Item onClick={() => void reset()}>New password…</Menu.Item>
        {person.id !== me.id && (
          <Menu.Item onClick={() => void disable(!person.disabled)}>
            {person.disabled ? "Let them log in" : "Do not let them log in"}
          </Menu.Item>
        )}
        {person.id !== me.id && (
          <>
            <Menu.Divider />
            <Menu.Item color="red" onClick={() => void remove()}>
              Delete…
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Invitations({ refresh }: { refresh: () => Promise<unknown> }) {
  const invitations = useQuery(invitationsQuery);
  const { data: teams = [] } = useQuery(teamsQuery);
  const confirm = useConfirm();
  const notices = useNotices();
  if (invitations.data?.length === 0) return null;
  const withdraw = async ({ id, email }: Invitation) => {
    const isDone = await confirm({
      title: `Take the invitation of ${email} back?`,
      body: <p>Their link is good for nothing then.</p>,
      action: "Take it back",
      danger: true,
      run: () => takeBack(id),
    });
    if (!isDone) return;
    await refresh();
    notices.done("The invitation is taken back");
  };
  return (
    <Panel title="Open invitations" about="Their links were told once; here they can be taken back.">
      <Loaded query={invitations} loading={<LoadingRows rows={1} />}>
        {(all) =>
          all.map((invitation) => (
            <div key={invitation.id} className={classes.invitation}>
              <div>
                <span className={classes.name}>{invitation.email}</span>
                <div className={classes.fine}>
                  {roleName(invitation.role)}
                  {invitation.teams.length > 0 &&
                    ` in ${invitation.teams.map((team) => teams.find(({ id }) => id === team)?.name ?? "a team").join(", ")}`}
                  , expires <RelativeTime at={invitation.expires_at} />
                </div>
              </div>
              <Button
                size="compact-sm"
                variant="subtle"
                color="red"
                aria-label={`Take back the invitation of ${invitation.email}`}
                onClick={() => void withdraw(invitation)}
              >
                Take back
              </Button>
            </div>
          ))
        }
      </Loaded>
    </Panel>
  );
}
