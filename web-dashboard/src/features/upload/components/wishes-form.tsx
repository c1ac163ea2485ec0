import { Select, Slider } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTeamScope } from "../../../lib/session";
import { profilesQuery } from "../api/profiles";
import type { Wishes } from "../queue";
import classes from "./wishes-form.module.css";

interface Props {
  wishes: Wishes;
  change: (next: Wishes) => void;
}

/** What is made of films, how urgently, and for whom. It holds for what is added from then on. */
export function WishesForm({ wishes, change }: Props) {
  const { teams, current } = useTeamScope();
  const profiles = useQuery(profilesQuery(wishes.team)).data ?? [];
  const chosen = profiles.find(({ name }) => name === wishes.profile);
  return (
    <div className={classes.form}>
      <Select
        label="Profile"
        description={chosen?.description ?? "What is made of each film"}
        allowDeselect={false}
        data={[...new Set([...profiles.map(({ name }) => name), wishes.profile])]}
        value={wishes.profile}
        onChange={(profile) => {
          if (profile !== null) change({ ...wishes, profile });
        }}
      />
      {teams.length > 1 && (
        <Select
          label="Team"
          description="Whose jobs they become"
          allowDeselect={false}
          searchable={teams.length > 8}
          data={teams.map(({ id, name }) => ({ value: id, label: name }))}
          value={wishes.team ?? current?.id ?? null}
          onChange={(team) => {
            if (team !== null) change({ ...wishes, team });
          }}
        />
      )}
      <div>
        <p className={classes.label} id="priority-label">
          Priority {wishes.priority}
        </p>
        <p className={classes.about}>9 is the most urgent, among the jobs of the team</p>
        <Slider
          className={classes.slider ?? ""}
          thumbLabel="Priority"
          thumbProps={{ "aria-labelledby": "priority-label" }}
          min={0}
          max={9}
          step={1}
          label={null}
          value={wishes.priority}
          onChange={(priority) => {
            change({ ...wishes, priority });
          }}
          marks={[{ value: 0, label: "Can wait" }, { value: 5 }, { value: 9, label: "Urgent" }]}
        />
      </div>
    </div>
  );
}
