import { Button, SegmentedControl } from "@mantine/core";
import type { Job } from "@offpeak/sdk";
import { IconDownload } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { Copyable } from "../../../components/copy";
import { byteSize } from "../../../lib/format";
import { SNIPPETS } from "../search";
import { snippet, SNIPPET_WORDS } from "../snippets";
import classes from "./use-it.module.css";

const route = getRouteApi("/jobs/$job");

/** What came out, for people and for programs: files, addresses, code. */
export function UseIt({ job }: { job: Job }) {
  const { snippet: kind = "curl" } = route.useSearch();
  const navigate = route.useNavigate();
  const { hls, dash, watch, files = [] } = job.outputs ?? {};
  const language = (value: string) => {
    const next = SNIPPETS.find((one) => one === value);
    void navigate({ search: (before) => ({ ...before, ...(next === undefined ? {} : { snippet: next }) }), replace: true, resetScroll: false });
  };
  return (
    <div className={classes.use}>
      {files.length > 0 && (
        <div className={classes.block}>
          <h3>Downloads</h3>
          {files.map(({ name, url, bytes }) => (
            <Button
              key={name}
              component="a"
              href={url}
              download={name}
              variant="default"
              justify="start"
              classNames={{ label: classes.file ?? "" }}
              leftSection={<IconDownload size={17} aria-hidden />}
              rightSection={<span className={classes.bytes}>{byteSize(bytes)}</span>}
            >
              {name}
            </Button>
          ))}
        </div>
      )}
      <div className={classes.block}>
        <h3>Addresses</h3>
        {hls == null && <p className={classes.note}>The stream has an address as soon as it can be played.</p>}
        {(
          [
            ["HLS", hls],
            ["DASH", dash],
            ["Player page", watch],
          ] as const
        ).map(([label, address]) =>
          address == null ? null : (
            <div key={label} className={classes.address}>
              <span className={classes.label}>{label}</span>
              <Copyable text={address} label={`Copy the ${label} address`} />
            </div>
          ),
        )}
      </div>
      <div className={classes.block}>
        <h3>From a program</h3>
        <div className={classes.scroll}>
          <SegmentedControl
            size="xs"
            aria-label="Language"
            value={kind}
            onChange={language}
            data={SNIPPETS.map((value) => ({ value, label: SNIPPET_WORDS[value] }))}
          />
        </div>
        <Copyable wrap text={snippet(kind, location.origin, job.id)} label="Copy the code" />
      </div>
    </div>
  );
}
