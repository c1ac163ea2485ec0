import { CloseButton, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type JobState, OPEN_STATES, STATE_WORDS } from "../../../lib/jobs";
import { profileNamesQuery } from "../api/jobs";
import type { JobsSearch } from "../search";
import classes from "./filters.module.css";

const TYPING_MS = 250;
/** What people ask for, rather than every single state. */
const CHOICES: { label: string; states: readonly JobState[] }[] = [
  { label: "All", states: [] },
  { label: "Under way", states: OPEN_STATES },
  { label: STATE_WORDS.completed.word, states: ["completed"] },
  { label: STATE_WORDS.failed.word, states: ["failed"] },
  { label: STATE_WORDS.cancelled.word, states: ["cancelled"] },
];

interface Props {
  search: JobsSearch;
  change: (next: JobsSearch) => void;
}

/** What the list shows. It is kept in the address. */
export function Filters({ search, change }: Props) {
  const profiles = useQuery(profileNamesQuery).data ?? [];
  const [text, setText] = useState(search.q ?? "");
  const [told, setTold] = useState(search.q);
  // The address changed by other means than typing: the field follows.
  if (told !== search.q) {
    setTold(search.q);
    if ((search.q ?? "") !== text.trim()) setText(search.q ?? "");
  }
  const look = useDebouncedCallback((q: string) => {
    change(without({ ...search, q: q.trim() }));
  }, TYPING_MS);
  const type = (q: string) => {
    setText(q);
    look(q);
  };
  const states = (search.state ?? []).join();

  return (
    <div className={classes.filters}>
      <TextInput
        className={classes.text ?? ""}
        aria-label="Search names and metadata"
        placeholder="Search names and metadata"
        leftSection={<IconSearch size={17} aria-hidden />}
        rightSection={
          text === "" ? undefined : (
            <CloseButton
              size="sm"
              aria-label="Clear the search"
              onClick={() => {
                type("");
              }}
            />
          )
        }
        value={text}
        onChange={(event) => {
          type(event.currentTarget.value);
        }}
      />
      <div className={classes.states} role="group" aria-label="State">
        {CHOICES.map(({ label, states: wanted }) => (
          <button
            key={label}
            type="button"
            className={classes.state}
            aria-pressed={states === wanted.join()}
            onClick={() => {
              change(without({ ...search, state: [...wanted] }));
            }}
          >
            {label}
          </button>
        ))}
      </div>
      <Select
        className={classes.profile ?? ""}
        aria-label="Profile"
        placeholder="Any profile"
        clearable
        searchable={profiles.length > 8}
        data={[...new Set([...profiles, ...(search.profile === undefined ? [] : [search.profile])])]}
        value={search.profile ?? null}
        onChange={(profile) => {
          change(without({ ...search, profile: profile ?? "" }));
        }}
      />
    </div>
  );
}

function without({ q, state, profile }: JobsSearch): JobsSearch {
  return {
    ...(q === undefined || q === "" ? {} : { q }),
    ...(state === undefined || state.length === 0 ? {} : { state }),
    ...(profile === undefined || profile === "" ? {} : { profile }),
  };
}
