import { Switch } from "@mantine/core";
import type { JobEvent } from "@offpeak/sdk";
import { useState } from "react";
import { RelativeTime } from "../../../components/relative-time";
import { tell } from "../tell";
import classes from "./timeline.module.css";

/** More lines than this at once are a burden for the browser and for the reader. */
const MOST_LINES = 200;

interface Props {
  events: readonly JobEvent[];
  names: ReadonlyMap<string, string>;
}

/** Everything that happened, youngest first, with its reasons. */
export function Timeline({ events, names }: Props) {
  const [all, setAll] = useState(false);
  const lines = tell(events, names)
    .filter(({ important }) => all || important)
    .reverse();
  return (
    <div className={classes.timeline}>
      <Switch
        size="xs"
        label="Every lease and delivery"
        checked={all}
        onChange={(event) => {
          setAll(event.currentTarget.checked);
        }}
      />
      <ol className={classes.lines}>
        {lines.slice(0, MOST_LINES).map(({ key, at, tone, text, detail }) => (
          <li key={key} className={classes.line} data-tone={tone}>
            <span className={classes.text}>{text}</span>
            <RelativeTime at={at} className={classes.at ?? ""} />
            {detail !== undefined && detail !== "" && <span className={classes.detail}>{detail}</span>}
          </li>
        ))}
      </ol>
      {lines.length > MOST_LINES && <p className={classes.detail}>{lines.length - MOST_LINES} older ones are not shown.</p>}
    </div>
  );
}
