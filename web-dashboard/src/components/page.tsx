import { Title } from "@mantine/core";
import { Link, type LinkProps } from "@tanstack/react-router";
import { IconChevronLeft } from "@tabler/icons-react";
import { type ReactNode, useEffect } from "react";
import classes from "./page.module.css";

interface PageProps {
  title: string;
  /** Under the title, in a line. */
  about?: ReactNode;
  /** Beside the title. */
  badge?: ReactNode;
  /** Buttons, at the right. */
  actions?: ReactNode;
  /** The list that this page belongs to. */
  back?: { to: LinkProps["to"]; label: string };
  /** Narrow pages read better: forms and texts. */
  narrow?: boolean;
  children: ReactNode;
}

/** What every page is made of: a title, which is also the window's, what can be done here, and the content. */
export function Page({ title, about, badge, actions, back, narrow = false, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Offpeak`;
  }, [title]);
  return (
    <div className={classes.page} data-narrow={narrow || undefined}>
      {back !== undefined && (
        <Link to={back.to as "/"} className={classes.back}>
          <IconChevronLeft size={16} aria-hidden />
          {back.label}
        </Link>
      )}
      <header className={classes.header}>
        <div className={classes.heading}>
          <div className={classes.titleLine}>
            <Title order={1} className={classes.title}>
              {title}
            </Title>
            {badge}
          </div>
          {about !== undefined && <div className={classes.about}>{about}</div>}
        </div>
        {actions !== undefined && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

interface PanelProps {
  title?: ReactNode;
  /** Beside the title, at the right. */
  aside?: ReactNode;
  about?: ReactNode;
  /** Without padding, for tables. */
  flush?: boolean;
  children: ReactNode;
  className?: string | undefined;
}

/** A surface with a heading: the unit that pages are composed of. */
export function Panel({ title, aside, about, flush = false, children, className }: PanelProps) {
  return (
    <section className={[classes.panel, className].filter(Boolean).join(" ")} data-flush={flush || undefined}>
      {(title !== undefined || aside !== undefined) && (
        <header className={classes.panelHeader}>
          <div>
            {title !== undefined && <Title order={2}>{title}</Title>}
            {about !== undefined && <p className={classes.panelAbout}>{about}</p>}
          </div>
          {aside}
        </header>
      )}
      <div className={classes.panelBody}>{children}</div>
    </section>
  );
}

/** Columns as many as fit, each at least `min` wide. Mantine's own grids need style elements, which our pages do not allow. */
export function Columns({ min = "16rem", gap = "1rem", children }: { min?: string; gap?: string; children: ReactNode }) {
  return (
    <div className={classes.columns} style={{ "--min": min, "--gap": gap }}>
      {children}
    </div>
  );
}
