import { Button, SegmentedControl, useMantineColorScheme } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDeviceLaptop, IconMoon, IconSun } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Copyable } from "../../components/copy";
import { Facts } from "../../components/facts";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { Loaded, LoadingRows } from "../../components/states";
import { Tag } from "../../components/status";
import { roleName } from "../../lib/people";
import { sessionQuery, useIsOperator, usePerson } from "../../lib/session";
import { fleetQuery } from "./api/settings";
import { NameForm } from "./components/name-form";
import { PasswordForm } from "./components/password-form";
import { Sessions } from "./components/sessions";
import classes from "./components/settings.module.css";

export function SettingsPage() {
  return (
    <Page narrow title="Settings">
      <You />
      <Appearance />
      <PasswordForm />
      <Sessions />
      <Farm />
    </Page>
  );
}

function You() {
  const person = usePerson();
  const [isRenaming, renaming] = useDisclosure(false);
  return (
    <Panel
      title="You"
      about="Email, role and teams are an administrator’s to change."
      aside={
        <Button variant="default" size="compact-sm" onClick={renaming.open}>
          Change your name
        </Button>
      }
    >
      {isRenaming && <NameForm name={person.name} onClose={renaming.close} />}
      <Facts
        items={[
          ["Name", person.name],
          ["Email", person.email],
          ["Role", roleName(person.role)],
          [
            "Teams",
            person.teams.length === 0 ? (
              "none"
            ) : (
              <span className={classes.tags}>
                {person.teams.map(({ id, name }) => (
                  <Tag key={id}>{name}</Tag>
                ))}
              </span>
            ),
          ],
          ["Since", <RelativeTime key="since" at={person.created_at} />],
        ]}
      />
    </Panel>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Panel title="Appearance" about="Kept in this browser.">
      <SegmentedControl
        aria-label="Appearance"
        value={colorScheme}
        onChange={(value) => {
          setColorScheme(value === "light" || value === "dark" ? value : "auto");
        }}
        data={[
          { value: "light", label: <Scheme icon={<IconSun size={16} />} name="Light" /> },
          { value: "auto", label: <Scheme icon={<IconDeviceLaptop size={16} />} name="System" /> },
          { value: "dark", label: <Scheme icon={<IconMoon size={16} />} name="Dark" /> },
        ]}
      />
    </Panel>
  );
}

function Scheme({ icon, name }: { icon: React.ReactNode; name: string }) {
  return (
    <span className={classes.scheme}>
      {icon}
      {name}
    </span>
  );
}

function Farm() {
  const fleet = useQuery(fleetQuery);
  const { data: session } = useQuery(sessionQuery);
  const isOperator = useIsOperator();
  return (
    <Panel title="This farm">
      <Loaded query={fleet} loading={<LoadingRows rows={3} height={28} />}>
        {({ machines, online, available, queue }) => {
          const all = Object.values(machines).reduce((sum, count) => sum + count, 0);
          const count = `${all} machines, ${online} online, ${available} of them at work or ready`;
          return (
            <Facts
              items={[
                ["Version", session?.server_version],
                ["Address", <Copyable key="address" text={location.origin} label="Copy the address" />],
                ["Machines", isOperator ? <Link to="/machines">{count}</Link> : count],
                ["Waiting", queue.tasks === 0 ? "nothing" : `${queue.tasks} ${queue.tasks === 1 ? "task" : "tasks"}`],
                [
                  "For programs",
                  <span key="api">
                    <a href="/docs">API reference</a>, <a href="/openapi.json">OpenAPI description</a>
                  </span>,
                ],
              ]}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
