import { Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconBook2, IconDeviceLaptop, IconDotsVertical, IconLogout, IconMoon, IconSettings, IconSun } from "@tabler/icons-react";
import { useSuspenseQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useNotices } from "../../components/confirm";
import { useMayLose } from "../../components/unsaved";
import { answer, api } from "../../lib/api";
import { type Role, sessionQuery, usePerson } from "../../lib/session";
import classes from "./menus.module.css";

const ROLES: Record<Role, string> = { admin: "Administrator", operator: "Operator", member: "Member" };

/** Who one is, how the pages look, and the way out. */
export function UserMenu() {
  const person = usePerson();
  const { server_version: version } = useSuspenseQuery(sessionQuery).data;
  const notices = useNotices();
  const mayLose = useMayLose();
  const { colorScheme, setColorScheme } = useMantineColorScheme();

  const logOut = async () => {
    if (!(await mayLose())) return;
    try {
      await answer(api.DELETE("/v1/session"));
      location.assign("/login");
    } catch (error) {
      notices.failed("You are still logged in", error);
    }
  };
  return (
    <Menu position="top-start" width={240}>
      <Menu.Target>
        <UnstyledButton className={classes.user ?? ""}>
          <span className={classes.face} aria-hidden>
            {initials(person.name)}
          </span>
          <span className={classes.who}>
            <span className={classes.name}>{person.name}</span>
            <span className={classes.role}>{ROLES[person.role]}</span>
          </span>
          <IconDotsVertical size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{person.email}</Menu.Label>
        <div className={classes.schemes}>
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label="Appearance"
            value={colorScheme}
            onChange={(value) => {
              setColorScheme(value === "light" || value === "dark" ? value : "auto");
            }}
            data={[
              { value: "light", label: <Scheme icon={<IconSun size={15} />} name="Light" /> },
              { value: "auto", label: <Scheme icon={<IconDeviceLaptop size={15} />} name="Auto" /> },
              { value: "dark", label: <Scheme icon={<IconMoon size={15} />} name="Dark" /> },
            ]}
          />
        </div>
        <Menu.Item component={Link} to="/settings" leftSection={<IconSettings size={16} />}>
          Settings
        </Menu.Item>
        <Menu.Item component="a" href="/docs" leftSection={<IconBook2 size={16} />}>
          API reference
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void logOut()}>
          Log out
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>Offpeak {version}</Menu.Label>
      </Menu.Dropdown>
    </Menu>
  );
}

function Scheme({ icon, name }: { icon: ReactNode; name: string }) {
  return (
    <span className={classes.scheme}>
      {icon}
      {name}
    </span>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.slice(0, 1) ?? "") + (words.length > 1 ? (words.at(-1)?.slice(0, 1) ?? "") : "")).toUpperCase();
}
