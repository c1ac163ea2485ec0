import { TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNotices } from "../../../components/confirm";
import { FormModal } from "../../../components/form-modal";
import { errorAt, otherError } from "../../../lib/field-errors";
import { sessionQuery } from "../../../lib/session";
import { renameSelf } from "../api/settings";

/** How one is called here. */
export function NameForm({ name: before, onClose }: { name: string; onClose: () => void }) {
  const queries = useQueryClient();
  const notices = useNotices();
  const [name, setName] = useState(before);
  const rename = async (next: string) => {
    queries.setQueryData(sessionQuery.queryKey, await renameSelf(next));
    await queries.invalidateQueries({ queryKey: ["people"] });
  };
  return (
    <FormModal
      opened
      isDirty={name !== before}
      title="How you are called"
      action="Save"
      onClose={onClose}
      onSubmit={async () => {
        await rename(name.trim());
        onClose();
        notices.done(`You are ${name.trim()} now`, () => rename(before));
      }}
      rest={(error) => otherError(error, ["name"])}
      disabled={name.trim() === ""}
    >
      {(error) => (
        <TextInput
          label="Name"
          autoComplete="name"
          maxLength={120}
          data-autofocus
          value={name}
          onChange={({ currentTarget }) => {
            setName(currentTarget.value);
          }}
          {...errorAt(error, "name")}
        />
      )}
    </FormModal>
  );
}
