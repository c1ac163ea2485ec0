import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Bar } from "../../components/bar";
import { useNotices } from "../../components/confirm";
import { DataTable } from "../../components/data-table";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { rowLink } from "../../components/row-link";
import { Loaded, LoadingRows } from "../../components/states";
import { peopleQuery } from "../../lib/people";
import { teamsQuery, useIsAdmin } from "../../lib/session";
import { makeTeam } from "./api/teams";
import { TeamForm } from "./components/team-form";
import classes from "./components/teams.module.css";
import { percent, shareOf } from "./share";

export function TeamsPage() {
  const teams = useQuery(teamsQuery);
  const isAdmin = useIsAdmin();
  const { data: people } = useQuery({ ...peopleQuery, enabled: isAdmin });
  const queries = useQueryClient();
  const navigate = useNavigate();
  const notices = useNotices();
  const [making, setMaking] = useState(false);
  const all = teams.data ?? [];
  return (
    <Page
      title="Teams"
      about="A team owns its videos, profiles, webhooks and tokens. The machines work for all teams, shared by weight."
      actions={
        isAdmin && (
          <Button
            leftSection={<IconPlus size={16} />}
            onClick={() => {
              setMaking(true);
            }}
          >
            New team
          </Button>
        )
      }
    >
      <Panel flush>
        <Loaded query={teams} loading={<LoadingRows rows={3} />}>
          {(rows) => (
            <DataTable
              label="Teams"
              rows={rows}
              idOf={({ id }) => id}
              columns={[
                {
                  id: "name",
                  header: "Team",
                  width: "minmax(8rem, 1.4fr)",
                  cell: ({ id, name }) => (
                    <Link to="/teams/$team" params={{ team: id }} className={rowLink}>
                      {name}
                    </Link>
                  ),
                },
                { id: "weight", header: "Weight", width: "5rem", align: "end", from: "sm", cell: ({ weight }) => weight },
                {
                  id: "share",
                  header: "Share, while all want the farm",
                  width: "minmax(8rem, 1.4fr)",
                  cell: ({ name, weight }) => {
                    const share = shareOf(weight, rows);
                    return (
                      <span className={classes.share}>
                        <Bar fraction={share} label={`${name}’s share`} />
                        <span className={classes.percent}>{percent(share)}</span>
                      </span>
                    );
                  },
                },
                {
                  id: "members",
                  header: "Members",
                  width: "6rem",
                  align: "end",
                  from: "md",
                  cell: ({ id }) => people?.filter((person) => person.teams.some((team) => team.id === id)).length ?? "–",
                },
                {
                  id: "made",
                  header: "Made",
                  width: "9rem",
                  align: "end",
                  from: "md",
                  cell: ({ created_at: at }) => <RelativeTime at={at} />,
                },
              ]}
            />
          )}
        </Loaded>
      </Panel>
      {making && (
        <TeamForm
          title="New team"
          action="Make it"
          initial={{ name: "", weight: 1 }}
          others={all}
          onClose={() => {
            setMaking(false);
          }}
          onSubmit={async ({ name, weight }) => {
            const team = await makeTeam(name, weight);
            await queries.invalidateQueries({ queryKey: ["teams"] });
            notices.done(`${name} is there. Who belongs to it?`);
            await navigate({ to: "/teams/$team", params: { team: team.id } });
          }}
        />
      )}
    </Page>
  );
}
