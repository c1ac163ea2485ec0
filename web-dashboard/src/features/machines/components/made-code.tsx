import { Skeleton, Tabs } from "@mantine/core";
import { IconBrandApple, IconBrandWindows, IconServer, IconTerminal2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { Copyable } from "../../../components/copy";
import { Panel } from "../../../components/page";
import { RelativeTime } from "../../../components/relative-time";
import { Status } from "../../../components/status";
import type { Schemas } from "../../../lib/api";
import { agentsQuery } from "../api/agents";
import { enrolLink, type Platform, platformOf, stepsFor } from "../enrol-link";
import { shown, systemName } from "../words";
import classes from "./enrol.module.css";

const QrCode = lazy(async () => ({ default: (await import("./qr-code")).QrCode }));

const PLATFORMS: { platform: Platform; label: string; icon: typeof IconServer }[] = [
  { platform: "linux", label: "Linux", icon: IconTerminal2 },
  { platform: "windows", label: "Windows", icon: IconBrandWindows },
  { platform: "macos", label: "macOS", icon: IconBrandApple },
  { platform: "headless", label: "Headless", icon: IconServer },
];

/** A code that was just made: how to use it, and who has. */
export function MadeCode({ made }: { made: Schemas["CreatedEnrolmentCode"] }) {
  const link = enrolLink(made, location.origin);
  const [platform, setPlatform] = useState<Platform>(() => platformOf(navigator.userAgent));
  const { uses_left, expires_at } = made.enrolment_code;
  return (
    <>
      <Panel
        title="The code"
        about={
          <>
            For {uses_left === 1 ? "one machine" : `${uses_left} machines`}
            {expires_at != null && (
              <>
                ; it expires <RelativeTime at={expires_at} />
              </>
            )}
            . It is shown this once: whoever has it can add machines.
          </>
        }
      >
        <div className={classes.made}>
          <div className={classes.texts}>
            <div>
              <span className={classes.label}>Link, with this server’s address: for the tray app, too</span>
              <Copyable text={link} label="Copy the link" />
            </div>
            <div>
              <span className={classes.label}>Code alone</span>
              <Copyable text={made.code} label="Copy the code" />
            </div>
            {link.includes("?fp=") && (
              <p className={classes.fine}>The link also holds the fingerprint of this server’s certificate: machines trust no other.</p>
            )}
          </div>
          <div>
            <Suspense fallback={<Skeleton className={classes.qrWaits ?? ""} />}>
              <QrCode text={link} label="The link as a QR code" />
            </Suspense>
            <p className={classes.qrText}>The link, for a camera: to take it along to the machine.</p>
          </div>
        </div>
      </Panel>
      <Panel title="At the machine">
        <Tabs
          value={platform}
          onChange={(value) => {
            setPlatform(PLATFORMS.find((one) => one.platform === value)?.platform ?? "linux");
          }}
        >
          <Tabs.List>
            {PLATFORMS.map(({ platform: value, label, icon: Icon }) => (
              <Tabs.Tab key={value} value={value} leftSection={<Icon size={16} />}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {PLATFORMS.map(({ platform: value }) => (
            <Tabs.Panel key={value} value={value}>
              <ol className={classes.steps}>
                {stepsFor(value, link).map(({ text, command }) => (
                  <li key={text} className={classes.step}>
                    <div>
                      <span>{text}</span>
                      {command !== undefined && <Copyable text={command} label="Copy the command" />}
                    </div>
                  </li>
                ))}
              </ol>
            </Tabs.Panel>
          ))}
        </Tabs>
      </Panel>
      <Joined since={made.enrolment_code.created_at} />
    </>
  );
}

/** Machines that came since the code was made: most likely with it. */
function Joined({ since }: { since: string }) {
  const { data: agents = [] } = useQuery(agentsQuery(false));
  const joined = agents.filter(({ id }) => bornAt(id) >= Date.parse(since));
  return (
    <Panel title="Machines that joined since">
      {joined.length === 0 ? (
        <Status tone="work" pulse>
          Waiting for the first one
        </Status>
      ) : (
        <ul className={classes.joined}>
          {joined.map((agent) => {
            const { label, tone, moves } = shown(agent);
            return (
              <li key={agent.id}>
                <Link to="/machines/$machine" params={{ machine: agent.id }}>
                  {agent.name}
                </Link>
                <Status tone={tone} pulse={moves}>
                  {label}
                </Status>
                {agent.capabilities != null && <span className={classes.fine}>{systemName(agent.capabilities.os)}</span>}
              </li>
            );
          })}
        </ul>
      )}
    </Panel>
  );
}

const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Of a ULID's 26 characters the first ten are milliseconds. */
const TIME_CHARACTERS = 10;

/** When an id was made. */
function bornAt(id: string): number {
  const ulid = id.slice(id.indexOf("_") + 1);
  return Array.from(ulid.slice(0, TIME_CHARACTERS)).reduce((sum, character) => sum * 32 + CROCKFORD.indexOf(character), 0);
}
