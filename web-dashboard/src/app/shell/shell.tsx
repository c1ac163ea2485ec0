import { Drawer, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2 } from "@tabler/icons-react";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import mark from "../../styles/mark.svg";
import { UploadIndicator } from "../../features/upload/components/upload-indicator";
import { may, usePerson } from "../../lib/session";
import { sections } from "./navigation";
import classes from "./shell.module.css";
import { TeamSwitcher } from "./team-switcher";
import { UnsavedGuard } from "./unsaved-guard";
import { UserMenu } from "./user-menu";

/** What is around every page: where one can go, in which team one is, and who one is. */
export function Shell() {
  const [menuOpen, menu] = useDisclosure(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);

  // Another page: the menu closes, and what reads the screen aloud begins there.
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    menu.close();
    main.current?.focus({ preventScroll: true });
  }, [path, menu]);

  return (
    <div className={classes.shell}>
      <UnsavedGuard />
      <a
        href="#main"
        className={classes.skip}
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header className={classes.sidebar}>
        <Brand />
        <TeamSwitcher />
        <Navigation />
        <UploadIndicator />
        <UserMenu />
      </header>
      <header className={classes.topBar}>
        <Brand />
        <TeamSwitcher compact />
      </header>
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <Outlet />
      </main>
      <nav className={classes.bottomBar} aria-label="Main">
        <Shortcuts />
        <UnstyledButton className={classes.tab ?? ""} aria-haspopup="dialog" aria-expanded={menuOpen} onClick={menu.open}>
          <IconMenu2 size={20} stroke={1.7} aria-hidden />
          More
        </UnstyledButton>
      </nav>
      <Drawer opened={menuOpen} onClose={menu.close} position="right" size="19rem" title="Offpeak">
        <div className={classes.drawer}>
          <Navigation />
          <UploadIndicator />
          <UserMenu />
        </div>
      </Drawer>
    </div>
  );
}

function Brand() {
  return (
    <Link to="/" className={classes.brand}>
      <img src={mark} alt="" width={26} height={26} />
      Offpeak
    </Link>
  );
}

function Navigation() {
  const person = usePerson();
  return (
    <nav className={classes.navigation} aria-label="Pages">
      {sections.map(({ title, entries }) => {
        const open = entries.filter(({ needs }) => needs === undefined || may(person, needs));
        if (open.length === 0) return null;
        return (
          <div key={title} className={classes.section}>
            <span className={classes.sectionTitle}>{title}</span>
            {open.map(({ to, label, icon: Icon }) => (
              <Link key={to} to={to} className={classes.link} activeOptions={{ exact: to === "/", includeSearch: false }}>
                <Icon size={18} stroke={1.7} aria-hidden />
                {label}
              </Link>
            ))}
          </div>
        );
      })}
    </nav>
  );
}

/** The first pages, within reach of a thumb. */
function Shortcuts() {
  const person = usePerson();
  const [work, farm] = sections;
  const entries = [...(work?.entries ?? []), ...(farm?.entries ?? []).slice(0, 1)].filter(
    ({ needs }) => needs === undefined || may(person, needs),
  );
  return entries.map(({ to, label, icon: Icon }) => (
    <Link key={to} to={to} className={classes.tab} activeOptions={{ exact: to === "/", includeSearch: false }}>
      <Icon size={20} stroke={1.7} aria-hidden />
      {label}
    </Link>
  ));
}
