import { Button, getDefaultZIndex, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { createContext, type ReactNode, use, useCallback, useMemo, useRef, useState } from "react";
import classes from "./confirm.module.css";
import { Problem, problemOf } from "./states";

interface Question {
  title: string;
  /** What will be lost or changed. */
  body: ReactNode;
  /** The verb: "Cancel 3 jobs", not "OK". */
  action: string;
  /** Destroys something. */
  danger?: boolean;
  /** Done while the dialogue waits; what it throws is shown there, and the person may try again. */
  run: () => Promise<unknown>;
  /** The button that changes nothing. */
  keep?: string;
}

type Ask = (question: Question) => Promise<boolean>;
const Context = createContext<Ask>(() => Promise.resolve(false));

/** Asks before something is done; the answer says whether it was. */
export function useConfirm(): Ask {
  return use(Context);
}

export function ConfirmProvider({ children }: { children: ReactNode }) {
  const [question, setQuestion] = useState<Question>();
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const settle = useRef<(done: boolean) => void>(undefined);

  const ask = useCallback<Ask>((next) => {
    settle.current?.(false);
    setQuestion(next);
    setError(undefined);
    setBusy(false);
    setOpen(true);
    return new Promise((resolve) => {
      settle.current = resolve;
    });
  }, []);

  const close = (done: boolean) => {
    setOpen(false);
    settle.current?.(done);
    settle.current = undefined;
  };
  const run = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await question?.run();
      close(true);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Context value={ask}>
      {children}
      <Modal
        // Above the form that asks.
        zIndex={getDefaultZIndex("overlay")}
        opened={open}
        onClose={() => {
          if (!busy) close(false);
        }}
        title={question?.title}
      >
        <div className={classes.body}>{question?.body}</div>
        <Problem error={error} />
        <div className={classes.buttons}>
          <Button
            variant="default"
            disabled={busy}
            data-autofocus
            onClick={() => {
              close(false);
            }}
          >
            {question?.keep ?? "Leave it"}
          </Button>
          <Button color={question?.danger === true ? "red" : "offpeak"} loading={busy} onClick={() => void run()}>
            {question?.action}
          </Button>
        </div>
      </Modal>
    </Context>
  );
}

/** For how long something can be taken back. */
const UNDO_MS = 8000;

interface Notices {
  /** It is done. With `undo`, for a while it can be taken back. */
  done: (message: string, undo?: () => Promise<unknown>) => void;
  /** It is not done, and why. */
  failed: (what: string, error: unknown) => void;
}

/** Says what happened, in a corner. */
export function useNotices(): Notices {
  return useMemo(() => {
    const failed: Notices["failed"] = (what, error) => {
      const { title, text } = problemOf(error);
      notifications.show({ title: what, message: `${title} ${text}`, color: "red", autoClose: 10_000 });
    };
    const done: Notices["done"] = (message, undo) => {
      if (undo === undefined) {
        notifications.show({ message, autoClose: 4000 });
        return;
      }
      const id = `undo-${Date.now()}`;
      const takeBack = async () => {
        notifications.hide(id);
        try {
          await undo();
        } catch (error) {
          failed("It could not be undone", error);
        }
      };
      notifications.show({
        id,
        autoClose: UNDO_MS,
        message: (
          <span className={classes.undo}>
            {message}
            <Button size="compact-sm" variant="light" onClick={() => void takeBack()}>
              Undo
            </Button>
          </span>
        ),
      });
    };
    return { done, failed };
  }, []);
}
