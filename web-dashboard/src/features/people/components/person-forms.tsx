import { Checkbox, Radio, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FormModal } from "../../../components/form-modal";
import { OffpeakError, type Schemas } from "../../../lib/api";
import { errorAt, otherError } from "../../../lib/field-errors";
import { addMember, removeMember, ROLES } from "../../../lib/people";
import { type Role, teamsQuery } from "../../../lib/session";
import { changePerson, invite, type Person } from "../api/people";
import { changesOf } from "../membership";
import classes from "./people.module.css";

export function Invite({ onClose, made }: { onClose: () => void; made: (link: Schemas["CreatedLink"]) => Promise<unknown> }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("member");
  const [teams, setTeams] = useState<readonly string[]>([]);
  return (
    <FormModal
      opened
      isDirty={email !== "" || role !== "member" || teams.length > 0}
      size="lg"
      title="Invite a person"
      action="Make the link"
      onClose={onClose}
      onSubmit={async () => {
        await made(await invite({ email: email.trim(), role, teams: [...teams] }));
      }}
      rest={(error) => (emailError(error) === undefined ? error : undefined)}
      disabled={email.trim() === ""}
    >
      {(error) => (
        <>
          <p>You get a link, good once and for a week, and hand it on by a way that you trust: Offpeak sends no mail.</p>
          <TextInput
            label="Email"
            type="email"
            placeholder="grace@example.com"
            maxLength={254}
            data-autofocus
            value={email}
            onChange={({ currentTarget }) => {
              setEmail(currentTarget.value);
            }}
            error={emailError(error)}
          />
          <RoleField role={role} setRole={setRole} />
          <TeamsField chosen={teams} choose={setTeams} />
        </>
      )}
    </FormModal>
  );
}

function emailError(error: unknown): string | undefined {
  return error instanceof OffpeakError && error.code === "bad_email" ? error.problem.detail.replaceAll("`", "") : undefined;
}

/** Name, role and teams of somebody who is there. */
export function EditPerson({ person, onClose, saved }: { person: Person; onClose: () => void; saved: () => Promise<unknown> }) {
  const before = person.teams.map(({ id }) => id);
  const [name, setName] = useState(person.name);
  const [role, setRole] = useState<Role>(person.role);
  const [teams, setTeams] = useState<readonly string[]>(before);
  const { join, leave } = changesOf(before, teams);
  const submit = async () => {
    if (name.trim() !== person.name || role !== person.role) await changePerson(person.id, { name: name.trim(), role });
    for (const team of join) await addMember(team, person.id);
    for (const team of leave) await removeMember(team, person.id);
    await saved();
  };
  return (
    <FormModal
      opened
      isDirty={name !== person.name || role !== person.role || join.length + leave.length > 0}
      size="lg"
      title={`Edit ${person.name}`}
      action="Save"
      onClose={onClose}
      onSubmit={submit}
      rest={(error) => otherError(error, ["name"])}
      disabled={name.trim() === ""}
    >
      {(error) => (
        <>
          <TextInput
            label="Name"
            maxLength={120}
            data-autofocus
            value={name}
            onChange={({ currentTarget }) => {
              setName(currentTarget.value);
            }}
            {...errorAt(error, "name")}
          />
          <RoleField role={role} setRole={setRole} />
          <TeamsField chosen={teams} choose={setTeams} />
        </>
      )}
    </FormModal>
  );
}

function RoleField({ role, setRole }: { role: Role; setRole: (role: Role) => void }) {
  return (
    <Radio.Group
      label="Role"
      value={role}
      onChange={(value) => {
        const next = ROLES.find((one) => one.role === value)?.role;
        if (next !== undefined) setRole(next);
      }}
    >
      <div className={classes.choices}>
        {ROLES.map(({ role: value, label, about }) => (
          <Radio key={value} value={value} label={label} description={about} />
        ))}
      </div>
    </Radio.Group>
  );
}

function TeamsField({ chosen, choose }: { chosen: readonly string[]; choose: (teams: readonly string[]) => void }) {
  const { data: teams = [] } = useQuery(teamsQuery);
  return (
    <Checkbox.Group
      label="Teams"
      description="Whose videos they work with."
      value={[...chosen]}
      onChange={(value) => {
        choose(value);
      }}
    >
      <div className={classes.teamChoices}>
        {teams.map(({ id, name }) => (
          <Checkbox key={id} value={id} label={name} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
