import { IconAdjustmentsHorizontal, IconLock, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ButtonLink } from "../../components/button-link";
import { Page, Panel } from "../../components/page";
import { Empty, Loaded } from "../../components/states";
import { Tag } from "../../components/status";
import { type ProfileEntry, profilesQuery } from "./api/profiles";
import classes from "./components/profiles.module.css";

export function ProfilesPage() {
  const profiles = useQuery(profilesQuery);
  return (
    <Page
      title="Profiles"
      about="What a job makes of its source: which sizes, how good, and which files."
      actions={
        <ButtonLink to="/profiles/new" leftSection={<IconPlus size={16} />}>
          New profile
        </ButtonLink>
      }
    >
      <Loaded query={profiles}>
        {(all) => (
          <>
            <div className={classes.list}>
              {all.map((entry) => (
                <ProfileCard key={entry.profile.name} entry={entry} />
              ))}
            </div>
            {all.every(({ built_in: builtIn }) => builtIn) && (
              <Panel>
                <Empty
                  icon={<IconAdjustmentsHorizontal size={28} stroke={1.6} />}
                  title="Your team has no profile of its own yet."
                  action={
                    <ButtonLink variant="default" to="/profiles/new" search={{ from: all[0]?.profile.name ?? "hls-h264" }}>
                      Copy the usual one
                    </ButtonLink>
                  }
                >
                  The one that comes with Offpeak is right for most films. Make another for other sizes, other bit rates, or signed
                  playback.
                </Empty>
              </Panel>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function ProfileCard({ entry: { built_in: builtIn, profile } }: { entry: ProfileEntry }) {
  return (
    <article className={classes.card}>
      <div className={classes.cardHead}>
        <Link to="/profiles/$profile" params={{ profile: profile.name }} className={classes.cardLink}>
          {profile.name}
        </Link>
        {builtIn && <Tag>comes with Offpeak</Tag>}
        {profile.access === "signed" && (
          <Tag tone="warm">
            <IconLock size={12} aria-hidden /> signed
          </Tag>
        )}
      </div>
      <p className={classes.description}>
        {profile.description === undefined || profile.description === "" ? "No description." : profile.description}
      </p>
      <div className={classes.heights}>
        {profile.video.ladder.map(({ height }) => (
          <Tag key={height} tone="work">
            {height}p
          </Tag>
        ))}
        {(profile.files ?? []).map(({ name }) => (
          <Tag key={name}>{name}</Tag>
        ))}
      </div>
    </article>
  );
}
