import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useNotices } from "../../components/confirm";
import { Page, Panel } from "../../components/page";
import { Loaded, Loading } from "../../components/states";
import { type ProfileEntry, profilesQuery } from "./api/profiles";
import { whole, type Whole } from "./check";
import { ProfileEditor } from "./components/profile-editor";

const route = getRouteApi("/profiles/new");
const USUAL = "hls-h264";

export function NewProfilePage() {
  const { from } = route.useSearch();
  const navigate = route.useNavigate();
  const notices = useNotices();
  const profiles = useQuery(profilesQuery);
  return (
    <Page
      title={from === undefined ? "New profile" : `Copy of ${from}`}
      back={{ to: "/profiles", label: "Profiles" }}
      about="It begins as a copy of one that works; nothing is made before you say so."
    >
      <Loaded
        query={profiles}
        loading={
          <Panel>
            <Loading />
          </Panel>
        }
      >
        {(all) => (
          <ProfileEditor
            isNew
            initial={copyOf(all, from)}
            taken={new Set(all.map(({ profile }) => profile.name))}
            saved={({ name }) => {
              notices.done(`${name} can be used now`);
              void navigate({ to: "/profiles/$profile", params: { profile: name } });
            }}
          />
        )}
      </Loaded>
    </Page>
  );
}

/** Another name, the rest as it is: of the one that was asked for, or else of the usual one. */
function copyOf(all: readonly ProfileEntry[], from: string | undefined): Whole {
  const model = all.find(({ profile }) => profile.name === from) ?? all.find(({ profile }) => profile.name === USUAL) ?? all[0];
  const profile = whole(model?.profile ?? { name: "", video: { ladder: [{ height: 720, max_kbps: 2800 }] } });
  const names = new Set(all.map(({ profile: { name } }) => name));
  return { ...profile, name: from === undefined ? "" : freeName(from, names), description: from === undefined ? "" : profile.description };
}

function freeName(from: string, taken: ReadonlySet<string>): string {
  const base = `${from.slice(0, 55)}-copy`;
  let name = base;
  for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
  return name;
}
