import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useConfirm, useNotices } from "../../../components/confirm";
import { Panel } from "../../../components/page";
import { RelativeTime } from "../../../components/relative-time";
import { Loaded, LoadingRows } from "../../../components/states";
import { Tag } from "../../../components/status";
import { endSession, logOutEverywhere, type OpenSession, sessionsQuery } from "../api/settings";
import { browserName } from "../browser-name";
import classes from "./settings.module.css";

/** Where one is logged in, and the way out of each. */
export function Sessions() {
  const sessions = useQuery(sessionsQuery);
  const queries = useQueryClient();
  const confirm = useConfirm();
  const notices = useNotices();
  const end = async ({ id, user_agent: userAgent }: OpenSession) => {
    const isDone = await confirm({
      title: "End this session?",
      body: <p>Whoever uses {browserName(userAgent)} there has to log in again.</p>,
      action: "End it",
      danger: true,
      run: () => endSession(id),
    });
    if (!isDone) return;
    await queries.invalidateQueries({ queryKey: sessionsQuery.queryKey });
    notices.done("The session has ended");
  };
  const leave = async () => {
    const isDone = await confirm({
      title: "Log out everywhere?",
      body: <p>In all browsers, in this one, too.</p>,
      action: "Log out everywhere",
      run: logOutEverywhere,
    });
    if (isDone) location.assign("/login");
  };
  return (
    <Panel
      title="Sessions"
      about="Each ends after a day without use, and after two weeks at the latest."
      aside={
        <Button variant="default" size="compact-sm" onClick={() => void leave()}>
          Log out everywhere
        </Button>
      }
    >
      <Loaded query={sessions} loading={<LoadingRows rows={1} height={44} />}>
        {(all) => (
          <ul className={classes.sessions} aria-label="Sessions">
            {all.map((session) => (
              <li key={session.id} className={classes.line}>
                <div>
                  <span className={classes.browser} title={session.user_agent ?? undefined}>
                    {browserName(session.user_agent)}
                    {session.is_current && <Tag>this one</Tag>}
                  </span>
                  <span className={classes.fine}>
                    last used <RelativeTime at={session.last_used_at} />, logged in <RelativeTime at={session.created_at} />
                  </span>
                </div>
                {!session.is_current && (
                  <Button
                    size="compact-sm"
                    variant="subtle"
                    color="red"
                    aria-label={`End the session of ${browserName(session.user_agent)}`}
                    onClick={() => void end(session)}
                  >
                    End
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
