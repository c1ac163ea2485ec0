import { Checkbox, SegmentedControl, TextInput } from "@mantine/core";
import { useState } from "react";
import { FormModal } from "../../../components/form-modal";
import { errorAt, otherError } from "../../../lib/field-errors";
import { OffpeakError } from "../../../lib/api";
import type { WebhookValues } from "../api/webhooks";
import { EVENTS } from "../words";
import classes from "./webhooks.module.css";

interface Props {
  title: string;
  action: string;
  initial: WebhookValues;
  onClose: () => void;
  onSubmit: (values: WebhookValues) => Promise<unknown>;
}

/** The address, what is told there, and what it is for. */
export function WebhookForm({ title, action, initial, onClose, onSubmit }: Props) {
  const [values, setValues] = useState(initial);
  const [all, setAll] = useState(initial.events.length === 0);
  const set = (part: Partial<WebhookValues>) => {
    setValues({ ...values, ...part });
  };
  const told = ({ events }: WebhookValues) => [...events].sort().join(" ");
  const isDirty =
    values.url !== initial.url ||
    values.description !== initial.description ||
    all !== (initial.events.length === 0) ||
    (!all && told(values) !== told(initial));
  return (
    <FormModal
      opened
      isDirty={isDirty}
      size="lg"
      title={title}
      action={action}
      onClose={onClose}
      onSubmit={() =>
        onSubmit({ ...values, url: values.url.trim(), description: values.description.trim(), events: all ? [] : values.events })
      }
      rest={(error) => (urlError(error) === undefined ? otherError(error, ["description"]) : undefined)}
      disabled={values.url.trim() === "" || (!all && values.events.length === 0)}
    >
      {(error) => (
        <>
          <TextInput
            label="Address"
            description="https or http. Your server is sent a POST there, signed, and answers 2xx within 15 seconds."
            placeholder="https://example.com/offpeak"
            inputMode="url"
            maxLength={2048}
            data-autofocus
            value={values.url}
            onChange={({ currentTarget }) => {
              set({ url: currentTarget.value });
            }}
            error={urlError(error)}
          />
          <TextInput
            label="What it is for"
            description="May stay empty."
            maxLength={200}
            value={values.description}
            onChange={({ currentTarget }) => {
              set({ description: currentTarget.value });
            }}
            {...errorAt(error, "description")}
          />
          <fieldset className={classes.events}>
            <legend>What it is told</legend>
            <SegmentedControl
              aria-label="What it is told"
              value={all ? "all" : "some"}
              onChange={(value) => {
                setAll(value === "all");
              }}
              data={[
                { value: "all", label: "Everything" },
                { value: "some", label: "Only some events" },
              ]}
            />
            {all ? (
              <p className={classes.fine}>Also events that newer versions of Offpeak will have.</p>
            ) : (
              <div className={classes.checks}>
                {EVENTS.map(({ event, about }) => (
                  <Checkbox
                    key={event}
                    label={event}
                    description={about}
                    checked={values.events.includes(event)}
                    onChange={({ currentTarget }) => {
                      const others = values.events.filter((one) => one !== event);
                      set({ events: currentTarget.checked ? [...others, event] : others });
                    }}
                  />
                ))}
              </div>
            )}
          </fieldset>
        </>
      )}
    </FormModal>
  );
}

const OF_THE_ADDRESS = new Set(["bad_url", "address_not_allowed", "bad_redirect"]);

/** Refusals of an address have codes of their own. */
function urlError(error: unknown): string | undefined {
  if (!(error instanceof OffpeakError) || !OF_THE_ADDRESS.has(error.code)) return undefined;
  const { detail, hint } = error.problem;
  return `${detail.replaceAll("`", "")} ${hint ?? ""}`.trim();
}
