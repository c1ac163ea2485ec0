import { Button, SegmentedControl, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Panel } from "../../../components/page";
import { Problem } from "../../../components/states";
import { useUnsaved } from "../../../components/unsaved";
import { fieldError, otherError } from "../../../lib/field-errors";
import { putProfile } from "../api/profiles";
import { check, FIELDS, parseProfile, toSend, type Whole } from "../check";
import { LadderPreview } from "./ladder-preview";
import { ProfileForm } from "./profile-form";
import classes from "./profiles.module.css";

interface Props {
  initial: Whole;
  isNew: boolean;
  /** Names that a new one would replace. */
  taken: ReadonlySet<string>;
  saved: (profile: Whole) => void;
}

/** A profile as a form or as text, with what it would make beside it. */
export function ProfileEditor({ initial, isNew, taken, saved }: Props) {
  const queries = useQueryClient();
  const [profile, change] = useState(initial);
  /** While it is edited as text. */
  const [text, setText] = useState<string>();
  const [tried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: (next: Whole) => putProfile(next),
    onSuccess: async (_, next) => {
      await queries.invalidateQueries({ queryKey: ["profiles"] });
      saved(next);
    },
  });

  const parsed = text === undefined ? { profile } : parseProfile(text);
  const current = "profile" in parsed ? parsed.profile : profile;
  const rules = check(current);
  if (isNew && rules.name === undefined && taken.has(current.name)) rules.name = "There is a profile of that name already.";
  if (!isNew && current.name !== initial.name) rules.name = `A profile’s name stays: ${initial.name}. Copy it for another one.`;
  // Text has no fields: what the server says stands below it.
  const said = text === undefined ? fieldError(save.error, FIELDS) : undefined;
  const errors = said === undefined ? { ...rules } : { [said.field]: said.message, ...rules };
  // A name that nobody has typed yet is not wrong.
  if (!tried && current.name === "") delete errors.name;
  const isChanged = JSON.stringify(current) !== JSON.stringify(initial) || "error" in parsed;
  useUnsaved(isChanged && !save.isPending);

  const toText = () => {
    setText(JSON.stringify(toSend(profile), undefined, 2));
  };
  const toForm = () => {
    if (!("profile" in parsed)) return;
    change(parsed.profile);
    setText(undefined);
  };
  const submit = () => {
    setTried(true);
    if ("profile" in parsed && Object.keys(rules).length === 0) save.mutate(toSend(parsed.profile));
  };

  return (
    <form
      className={classes.layout}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className={classes.form}>
        <SegmentedControl
          className={classes.mode ?? ""}
          aria-label="How to edit"
          value={text === undefined ? "form" : "text"}
          onChange={(mode) => {
            if (mode === "text") toText();
            else toForm();
          }}
          data={[
            { value: "form", label: "Form" },
            { value: "text", label: "Text" },
          ]}
        />
        {text === undefined ? (
          <ProfileForm profile={profile} change={change} errors={errors} isNew={isNew} />
        ) : (
          <Panel title="As the API has it" about="JSON; what is left out has its default.">
            <Textarea
              aria-label="The profile as JSON"
              classNames={{ input: classes.text ?? "" }}
              rows={26}
              spellCheck={false}
              value={text}
              onChange={({ currentTarget }) => {
                setText(currentTarget.value);
              }}
              error={
                "error" in parsed
                  ? parsed.error
                  : (Object.entries(errors).map(([field, message]) => `${field}: ${message}`)[0] ?? undefined)
              }
            />
          </Panel>
        )}
        <Problem error={text === undefined ? otherError(save.error, FIELDS) : save.error} />
        {(isNew || isChanged || text !== undefined) && (
          <div className={classes.save}>
            <span>
              {tried && Object.keys(rules).length > 0
                ? "Something above does not fit yet."
                : isNew
                  ? "Not made yet."
                  : "Changes are not saved yet."}
            </span>
            {!isNew && (
              <Button
                variant="default"
                onClick={() => {
                  change(initial);
                  setText(undefined);
                  save.reset();
                }}
              >
                Discard
              </Button>
            )}
            <Button type="submit" loading={save.isPending} disabled={"error" in parsed}>
              {isNew ? "Make the profile" : "Save the profile"}
            </Button>
          </div>
        )}
      </div>
      <div className={classes.aside}>
        <Panel title="What it makes">
          <LadderPreview profile={current} />
        </Panel>
      </div>
    </form>
  );
}
