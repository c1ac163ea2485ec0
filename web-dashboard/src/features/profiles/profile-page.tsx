import { Button } from "@mantine/core";
import { IconCopy, IconTrash } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ButtonLink } from "../../components/button-link";
import { useConfirm, useNotices } from "../../components/confirm";
import { Copyable } from "../../components/copy";
import { Facts } from "../../components/facts";
import { Page, Panel } from "../../components/page";
import { Failed, Loading } from "../../components/states";
import { Tag } from "../../components/status";
import { deleteProfile, type ProfileEntry, profileQuery, putProfile } from "./api/profiles";
import { whole, type Whole } from "./check";
import { LadderPreview } from "./components/ladder-preview";
import { ProfileEditor } from "./components/profile-editor";
import classes from "./components/profiles.module.css";

const route = getRouteApi("/profiles/$profile");
const BACK = { to: "/profiles", label: "Profiles" } as const;

export function ProfilePage() {
  const { profile: name } = route.useParams();
  const entry = useQuery(profileQuery(name));
  if (entry.data === undefined) {
    return (
      <Page title={name} back={BACK}>
        <Panel>{entry.error === null ? <Loading /> : <Failed error={entry.error} retry={() => void entry.refetch()} />}</Panel>
      </Page>
    );
  }
  return <OneProfile entry={entry.data} />;
}

function OneProfile({ entry }: { entry: ProfileEntry }) {
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const confirm = useConfirm();
  const notices = useNotices();
  const profile = whole(entry.profile);
  const refresh = () => queries.invalidateQueries({ queryKey: ["profiles"] });
  const remove = async () => {
    const isDone = await confirm({
      title: `Delete ${profile.name}?`,
      body: <p>Jobs that were made with it keep what they have. New ones cannot name it any more.</p>,
      action: "Delete it",
      danger: true,
      run: () => deleteProfile(profile.name),
    });
    if (!isDone) return;
    await navigate({ to: "/profiles" });
    queries.removeQueries({ queryKey: ["profiles", "one", profile.name] });
    await refresh();
    notices.done(`${profile.name} deleted`, async () => {
      await putProfile(entry.profile);
      await refresh();
    });
  };
  return (
    <Page
      title={profile.name}
      back={BACK}
      about={profile.description === "" ? undefined : profile.description}
      badge={entry.built_in && <Tag>comes with Offpeak</Tag>}
      actions={
        <>
          <ButtonLink variant="default" to="/profiles/new" search={{ from: profile.name }} leftSection={<IconCopy size={16} />}>
            Copy
          </ButtonLink>
          {!entry.built_in && (
            <Button variant="default" leftSection={<IconTrash size={16} />} onClick={() => void remove()}>
              Delete
            </Button>
          )}
        </>
      }
    >
      {entry.built_in ? (
        <BuiltIn profile={profile} />
      ) : (
        <ProfileEditor
          // What was saved is the new beginning.
          key={JSON.stringify(entry.profile)}
          isNew={false}
          initial={profile}
          taken={new Set()}
          saved={() => {
            notices.done("Saved. Jobs keep the profile that they were made with.", async () => {
              await putProfile(entry.profile);
              await refresh();
            });
          }}
        />
      )}
    </Page>
  );
}

function BuiltIn({ profile }: { profile: Whole }) {
  const { video, audio } = profile;
  return (
    <div className={classes.layout}>
      <div className={classes.form}>
        <Panel title="Settings" about="It cannot be changed: copy it under another name, and change that.">
          <Facts
            items={[
              ["Rungs", video.ladder.map(({ height, max_kbps: kbps }) => `${height}p ≤ ${kbps} kbit/s`).join(", ")],
              ["Effort", video.preset],
              ["Quality", video.quality?.mode === "capped_crf" ? `CRF ${video.quality.crf}` : "lossless"],
              ["Frame rate", `at most ${profile.max_frame_rate}`],
              ["Sound", `AAC ${audio.bitrate_kbps} kbit/s, ${audio.channels === 1 ? "mono" : "stereo"}`],
              ["Segment", `${profile.segment_seconds} s`],
              ["Span", `at most ${profile.span_seconds} s`],
              ["Files", profile.files.length === 0 ? "none" : profile.files.map(({ name }) => name).join(", ")],
              ["Who can watch", profile.access === "signed" ? "signed addresses only" : "whoever knows the job’s id"],
            ]}
          />
        </Panel>
        <Panel title="As the API has it">
          <Copyable text={JSON.stringify(profile, undefined, 2)} label="Copy the profile" wrap />
        </Panel>
      </div>
      <div className={classes.aside}>
        <Panel title="What it makes">
          <LadderPreview profile={profile} />
        </Panel>
      </div>
    </div>
  );
}
