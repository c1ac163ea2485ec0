import { Button, Modal } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Copyable } from "./copy";
import classes from "./form-modal.module.css";
import noteClasses from "./note.module.css";

interface Props {
  title: string;
  /** Nothing is open while there is none. */
  secret: string | undefined;
  /** What is copied: "Copy the token". */
  label: string;
  /** What to do with it. */
  children?: ReactNode;
  onClose: () => void;
}

/** Something that the server tells once: it is left only by saying so, not by a click beside it. */
export function SecretModal({ title, secret, label, children, onClose }: Props) {
  return (
    <Modal
      opened={secret !== undefined}
      onClose={onClose}
      title={title}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      size="lg"
    >
      <div className={classes.form}>
        <p className={noteClasses.note} data-tone="warm">
          <IconKey size={18} aria-hidden />
          <span>This is shown once and kept nowhere. Copy it now, to where you keep passwords.</span>
        </p>
        <Copyable text={secret ?? ""} label={label} />
        {children}
        <div className={classes.buttons}>
          <Button data-autofocus onClick={onClose}>
            I have copied it
          </Button>
        </div>
      </div>
    </Modal>
  );
}
