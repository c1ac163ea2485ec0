import { Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { FormModal } from "../../components/form-modal";
import { Page } from "../../components/page";
import { Loaded } from "../../components/states";
import { Tag } from "../../components/status";
import { errorAt, otherError } from "../../lib/field-errors";
import { type Group, groupsQuery } from "../../lib/groups";
import { DAYS, shortDay } from "../../lib/week";
import { makeGroup } from "./api/policies";
import classes from "./components/policies.module.css";
import { hoursAWeek, weekOf } from "./schedule";
import { begins } from "./words";

export function PoliciesPage() {
  const groups = useQuery(groupsQuery);
  const [naming, setNaming] = useState(false);
  return (
    <Page
      title="Policies"
      about="Machines work by the policy of their group. The person at a desk can be stricter, never laxer."
      actions={
        <Button
          leftSection={<IconPlus size={16} />}
          onClick={() => {
            setNaming(true);
          }}
        >
          New group
        </Button>
      }
    >
      <Loaded query={groups}>
        {(all) => (
          <div className={classes.list}>
            {all.map((group) => (
              <GroupCard key={group.id} group={group} />
            ))}
          </div>
        )}
      </Loaded>
      {naming && (
        <NewGroup
          onClose={() => {
            setNaming(false);
          }}
        />
      )}
    </Page>
  );
}

function GroupCard({ group }: { group: Group }) {
  const { policy } = group;
  return (
    <article className={classes.card}>
      <div className={classes.cardHead}>
        <Link to="/policies/$group" params={{ group: group.id }} className={classes.cardLink}>
          {group.name}
        </Link>
        {group.is_default && <Tag>for new machines</Tag>}
        {policy.require_sandbox && <Tag tone="done">walled off only</Tag>}
        <span className={classes.count}>{group.agents === 1 ? "one machine" : `${group.agents} machines`}</span>
      </div>
      <p className={classes.words}>{begins(policy)}</p>
      <div className={classes.strip} role="img" aria-label={`${hoursAWeek(policy.schedule)} of 168 hours a week`}>
        {weekOf(policy.schedule).map((hours, day) => (
          <span key={day} className={classes.stripDay}>
            <span className={classes.stripHours}>
              {hours.map(({ level }, hour) => (
                <span key={hour} className={classes.stripHour} style={{ "--level": `${Math.round((level ?? 0) * 100)}%` }} />
              ))}
            </span>
            {DAYS[day] === undefined ? "" : shortDay(DAYS[day])}
          </span>
        ))}
      </div>
    </article>
  );
}

function NewGroup({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({ initialValues: { name: "" } });
  const submit = async () => {
    const group = await makeGroup(form.values.name.trim());
    await queries.invalidateQueries({ queryKey: ["groups"] });
    await navigate({ to: "/policies/$group", params: { group: group.id } });
  };
  return (
    <FormModal
      opened
      isDirty={form.isDirty()}
      title="New group"
      action="Make it"
      onClose={onClose}
      onSubmit={submit}
      rest={(error) => otherError(error, ["name"])}
      disabled={form.values.name.trim() === ""}
    >
      {(error) => (
        <>
          <p>
            For machines that should work at the same hours and under the same limits. It begins with the usual policy, which the next page
            changes.
          </p>
          <TextInput
            label="Name"
            placeholder="Third floor"
            maxLength={120}
            data-autofocus
            {...form.getInputProps("name")}
            {...errorAt(error, "name")}
          />
        </>
      )}
    </FormModal>
  );
}
