import { Button, Modal } from "@mantine/core";
import { type ReactNode, useRef, useState } from "react";
import { useConfirm } from "./confirm";
import classes from "./form-modal.module.css";
import { Problem } from "./states";
import { useUnsaved } from "./unsaved";

interface Props {
  title: string;
  /** The verb on the button. */
  action: string;
  opened: boolean;
  /** Something was filled in: whoever closes the dialogue is asked first. */
  isDirty: boolean;
  onClose: () => void;
  /** What it throws is shown in the dialogue, which stays open. */
  onSubmit: () => Promise<unknown>;
  /** Refusals that a field shows by itself; returns what is left for the foot of the form. */
  rest?: (error: unknown) => unknown;
  children: ReactNode | ((error: unknown) => ReactNode);
  disabled?: boolean;
  danger?: boolean;
  size?: string;
}

/** A short form in a dialogue. */
export function FormModal({
  title,
  action,
  opened,
  isDirty,
  onClose,
  onSubmit,
  rest,
  children,
  disabled = false,
  danger = false,
  size = "md",
}: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = useConfirm();
  const asking = useRef(false);
  useUnsaved(opened && isDirty && !busy);
  const close = async () => {
    if (busy || asking.current) return;
    if (isDirty) {
      asking.current = true;
      const isGranted = await confirm({
        title: "Close without saving?",
        body: <p>What you filled in here would be lost.</p>,
        action: "Close without saving",
        keep: "Go on with it",
        danger: true,
        run: () => Promise.resolve(),
      });
      // The key that closed the question is still on its way, and is not meant for this dialogue.
      setTimeout(() => {
        asking.current = false;
      });
      if (!isGranted) return;
    }
    setError(undefined);
    onClose();
  };
  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={() => void close()} title={title} size={size}>
      <form
        className={classes.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!disabled) void submit();
        }}
      >
        {typeof children === "function" ? children(error) : children}
        <Problem error={rest === undefined ? error : rest(error)} />
        <div className={classes.buttons}>
          <Button variant="default" disabled={busy} onClick={() => void close()}>
            Close
          </Button>
          <Button type="submit" color={danger ? "red" : "offpeak"} loading={busy} disabled={disabled}>
            {action}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
