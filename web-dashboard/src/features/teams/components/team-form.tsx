import { NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { FormModal } from "../../../components/form-modal";
import { errorAt, otherError } from "../../../lib/field-errors";
import { percent, shareOf } from "../share";

interface Props {
  title: string;
  action: string;
  initial: { name: string; weight: number };
  /** The weights of the other teams. */
  others: readonly { weight: number }[];
  onClose: () => void;
  onSubmit: (values: { name: string; weight: number }) => Promise<unknown>;
}

const LEAST_WEIGHT = 0.01;
const MOST_WEIGHT = 100;

/** A team's name, and its share of the farm. */
export function TeamForm({ title, action, initial, others, onClose, onSubmit }: Props) {
  const [name, setName] = useState(initial.name);
  const [weight, setWeight] = useState<number | string>(initial.weight);
  const isFit = weight !== "" && Number(weight) >= LEAST_WEIGHT && Number(weight) <= MOST_WEIGHT;
  return (
    <FormModal
      opened
      isDirty={name !== initial.name || Number(weight) !== initial.weight}
      title={title}
      action={action}
      onClose={onClose}
      onSubmit={() => onSubmit({ name: name.trim(), weight: Number(weight) })}
      rest={(error) => otherError(error, ["name", "weight"])}
      disabled={name.trim() === "" || !isFit}
    >
      {(error) => (
        <>
          <TextInput
            label="Name"
            placeholder="Newsroom"
            maxLength={120}
            data-autofocus
            value={name}
            onChange={({ currentTarget }) => {
              setName(currentTarget.value);
            }}
            {...errorAt(error, "name")}
          />
          <NumberInput
            label="Weight"
            description="While other teams want the farm, too, one of weight 2 gets twice what one of weight 1 gets. It counts for jobs that are made from now on."
            min={LEAST_WEIGHT}
            max={MOST_WEIGHT}
            step={0.5}
            value={weight}
            onChange={setWeight}
            error={isFit ? errorAt(error, "weight").error : "0.01 to 100"}
          />
          {isFit && (
            <p>{percent(shareOf(Number(weight), [...others, { weight: Number(weight) }]))} of the farm, while every team wants it.</p>
          )}
        </>
      )}
    </FormModal>
  );
}
