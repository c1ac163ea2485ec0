import { Button, Textarea } from "@mantine/core";
import { useState } from "react";
import { useUnsaved } from "../../../components/unsaved";
import { addressesIn } from "../addresses";
import classes from "./by-address.module.css";

/** Films that lie somewhere else already: a machine fetches them. */
export function ByAddress({ take }: { take: (urls: string[]) => void }) {
  const [text, setText] = useState("");
  const { urls, wrong } = addressesIn(text);
  useUnsaved(text.trim() !== "");
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (urls.length === 0 || wrong.length > 0) return;
        take(urls);
        setText("");
      }}
    >
      <Textarea
        label="Addresses of films"
        description="One a line. A machine of the farm fetches each of them."
        placeholder="https://example.com/film.mov"
        autosize
        minRows={2}
        maxRows={8}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
        }}
        error={wrong.length === 0 ? undefined : `${wrong[0] ?? ""} is not an http or https address.`}
      />
      <Button type="submit" variant="default" disabled={urls.length === 0 || wrong.length > 0}>
        {urls.length > 1 ? `Make ${urls.length} jobs` : "Make a job"}
      </Button>
    </form>
  );
}
