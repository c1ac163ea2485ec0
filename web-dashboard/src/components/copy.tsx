import { ActionIcon, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";
import { copyText } from "../lib/clipboard";
import classes from "./copy.module.css";

/** How long the button says that it has copied. */
const SAID_FOR_MS = 1600;

/** Copies a text. `label` says which, for the tooltip and for screen readers. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState<string>();
  const copy = async () => {
    setSaid((await copyText(text)) ? "Copied" : "Select it and press Ctrl+C");
    window.setTimeout(() => {
      setSaid(undefined);
    }, SAID_FOR_MS);
  };
  return (
    <Tooltip label={said ?? label}>
      <ActionIcon variant="subtle" color="gray" c="dimmed" aria-label={said ?? label} aria-live="polite" onClick={() => void copy()}>
        {said === undefined ? <IconCopy size={16} /> : <IconCheck size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** A value that people carry elsewhere, such as an address, an id or a command, with a button that copies it. */
export function Copyable({ text, label, wrap = false }: { text: string; label: string; wrap?: boolean }) {
  return (
    <div className={classes.copyable}>
      <code className={classes.text} data-wrap={wrap || undefined} tabIndex={0} title={text}>
        {text}
      </code>
      <CopyIcon text={text} label={label} />
    </div>
  );
}
