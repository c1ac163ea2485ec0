import { Input, NativeSelect, NumberInput } from "@mantine/core";
import { useId, useState } from "react";
import classes from "./policies.module.css";

const UNITS = [
  { value: "1", label: "seconds" },
  { value: "60", label: "minutes" },
  { value: "3600", label: "hours" },
];

interface Props {
  label: string;
  description: string;
  /** Seconds. */
  value: number;
  onChange: (seconds: number) => void;
  error?: React.ReactNode;
}

/** A length of time, in the unit that reads best. */
export function TimeField({ label, description, value, onChange, error }: Props) {
  const id = useId();
  const [unit, setUnit] = useState(() => (value % 3600 === 0 ? 3600 : value % 60 === 0 ? 60 : 1));
  return (
    <Input.Wrapper label={label} description={description} error={error} id={id}>
      <div className={classes.time}>
        <NumberInput
          id={id}
          min={0}
          value={Math.round((value / unit) * 100) / 100}
          onChange={(count) => {
            onChange(Math.round(Number(count) * unit));
          }}
          error={error !== undefined && error !== null}
        />
        <NativeSelect
          aria-label={`${label}: unit`}
          data={UNITS}
          value={String(unit)}
          onChange={({ currentTarget }) => {
            const next = Number(currentTarget.value);
            // What is written stays, and means something else: that is what a person who changes the unit wants.
            onChange(Math.round((value / unit) * next));
            setUnit(next);
          }}
        />
      </div>
    </Input.Wrapper>
  );
}
