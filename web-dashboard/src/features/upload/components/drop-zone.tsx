import { Button } from "@mantine/core";
import { IconCloudUpload } from "@tabler/icons-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { ACCEPT, dropped, type Picked, picker } from "../picked";
import classes from "./drop-zone.module.css";

/** Where files are dropped or chosen. Anywhere on the page will do for dropping. */
export function DropZone({ take, small }: { take: (files: Picked[]) => void; small: boolean }) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const taken = useEffectEvent(take);

  useEffect(() => {
    const drag = (event: globalThis.DragEvent) => {
      if (!(event.dataTransfer?.types.includes("Files") ?? false)) return;
      event.preventDefault();
      setOver(event.type === "dragover");
      if (event.type === "drop" && event.dataTransfer !== null) void dropped(event.dataTransfer).then(taken);
    };
    const leave = (event: globalThis.DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    window.addEventListener("dragover", drag);
    window.addEventListener("drop", drag);
    window.addEventListener("dragleave", leave);
    return () => {
      window.removeEventListener("dragover", drag);
      window.removeEventListener("drop", drag);
      window.removeEventListener("dragleave", leave);
    };
  }, []);

  const choose = () => {
    const pick = picker();
    if (pick === undefined) input.current?.click();
    else void pick().then(take);
  };

  return (
    <div className={classes.zone} data-over={over || undefined} data-small={small || undefined}>
      <IconCloudUpload size={small ? 26 : 40} stroke={1.4} aria-hidden />
      <div>
        <p className={classes.title}>{over ? "Let go to upload" : "Drop films here"}</p>
        <p className={classes.about}>Many and large ones are fine. Closing the page costs nothing: what has arrived stays, and it goes on from there.</p>
      </div>
      <Button variant={small ? "default" : "filled"} onClick={choose}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Films to upload"
        accept={ACCEPT}
        onChange={(event) => {
          take([...(event.currentTarget.files ?? [])].map((file) => ({ file })));
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}

