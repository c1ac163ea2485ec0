import { Menu, UnstyledButton } from "@mantine/core";
import { IconCheck, IconSelector } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMayLose } from "../../components/unsaved";
import { useTeamScope } from "../../lib/session";
import { chooseTeam } from "../../lib/team";
import classes from "./menus.module.css";

/** Which team's jobs, profiles and tokens are shown. Who has only one sees its name. */
export function TeamSwitcher({ compact = false }: { compact?: boolean }) {
  const { teams, current } = useTeamScope();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const mayLose = useMayLose();
  if (current === undefined) return null;

  const choose = async (team: string) => {
    if (!(await mayLose())) return;
    chooseTeam(team);
    // What is on the page may belong to the team that was left.
    await navigate({ to: "/" });
    await queries.resetQueries();
  };
  if (teams.length < 2) {
    return compact ? null : (
      <div className={classes.team}>
        <Badge name={current.name} />
        <span className={classes.teamName}>{current.name}</span>
      </div>
    );
  }
  return (
    <Menu position="bottom-start" width={compact ? 240 : "target"}>
      <Menu.Target>
        <UnstyledButton className={classes.team ?? ""} data-button data-compact={compact || undefined}>
          <Badge name={current.name} />
          <span className={classes.teamName}>{current.name}</span>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Team</Menu.Label>
        {teams.map(({ id, name }) => (
          <Menu.Item key={id} rightSection={id === current.id ? <IconCheck size={16} /> : undefined} onClick={() => void choose(id)}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Badge({ name }: { name: string }) {
  return (
    <span className={classes.badge} aria-hidden>
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}
