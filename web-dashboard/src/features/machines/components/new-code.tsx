import { Button, NumberInput, Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem } from "../../../components/states";
import { useUnsaved } from "../../../components/unsaved";
import type { Schemas } from "../../../lib/api";
import { groupsQuery } from "../../../lib/groups";
import { makeCode } from "../api/codes";
import classes from "./enrol.module.css";

const MOST_USES = 10_000;
const ENDS = [
  { value: "1", label: "In an hour" },
  { value: "24", label: "In a day" },
  { value: "168", label: "In a week" },
  { value: "720", label: "In 30 days" },
  { value: "2160", label: "In 90 days" },
];

interface Values {
  name: string;
  group: string | null;
  uses: number | string;
  hours: string;
}

/** Asks for how many machines, which group and how long, and makes a code of it. */
export function NewCode({ made }: { made: (code: Schemas["CreatedEnrolmentCode"]) => void }) {
  const { data: groups = [] } = useQuery(groupsQuery);
  const queries = useQueryClient();
  const usual = groups.find(({ is_default }) => is_default)?.id ?? null;
  const form = useForm<Values>({
    initialValues: { name: "", group: null, uses: 1, hours: "24" },
    validate: {
      uses: (uses) =>
        Number.isInteger(uses) && Number(uses) >= 1 && Number(uses) <= MOST_USES ? null : `1 to ${MOST_USES.toLocaleString("en")}`,
    },
  });
  const make = useMutation({
    mutationFn: ({ name, group, uses, hours }: Values) =>
      makeCode({ name, group: group ?? usual, uses: Number(uses), hours: Number(hours) }),
    onSuccess: async (code) => {
      made(code);
      await queries.invalidateQueries({ queryKey: ["enrolment-codes"] });
    },
  });
  useUnsaved(form.isDirty() && !make.isPending);
  return (
    <form
      className={classes.form}
      noValidate
      onSubmit={form.onSubmit((values) => {
        make.mutate(values);
      })}
    >
      <div className={classes.fields}>
        <NumberInput
          label="How many machines"
          description="The code works so many times."
          min={1}
          max={MOST_USES}
          allowDecimal={false}
          {...form.getInputProps("uses")}
        />
        <Select
          label="It expires"
          description="Machines that joined stay."
          allowDeselect={false}
          data={ENDS}
          {...form.getInputProps("hours")}
        />
        <Select
          label="Group"
          description="By whose policy they work."
          allowDeselect={false}
          data={groups.map(({ id, name }) => ({ value: id, label: name }))}
          {...form.getInputProps("group")}
          value={form.values.group ?? usual}
        />
        <TextInput
          label="What it is for"
          description="So that you know it again. May stay empty."
          placeholder="Third floor"
          maxLength={120}
          {...form.getInputProps("name")}
        />
      </div>
      <Problem error={make.error} />
      <div>
        <Button type="submit" loading={make.isPending}>
          Make a code
        </Button>
      </div>
    </form>
  );
}
