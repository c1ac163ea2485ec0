import { Button, Modal } from "@mantine/core";
import { type ReactNode, useState } from "react";
import classes from "./form-modal.module.css";
import { Problem } from "./states";

interface Props {
  title: string;
  /** The verb on the button. */
  action: string;
  opened: boolean;
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
  const close = () => {
    if (busy) return;
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
    <Modal opened={opened} onClose={close} title={title} size={size}>
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
          <Button variant="default" disabled={busy} onClick={close}>
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
