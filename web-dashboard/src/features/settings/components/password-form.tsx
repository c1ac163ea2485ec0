import { Button, PasswordInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { useNotices } from "../../../components/confirm";
import { Panel } from "../../../components/page";
import { Problem } from "../../../components/states";
import { useUnsaved } from "../../../components/unsaved";
import { OffpeakError } from "../../../lib/api";
import { changePassword } from "../api/settings";
import classes from "./settings.module.css";

const SHORTEST = 10;

export function PasswordForm() {
  const notices = useNotices();
  const form = useForm({
    initialValues: { current: "", next: "", again: "" },
    validate: {
      current: (value) => (value === "" ? "Needed, so that nobody else at your desk can do this." : null),
      next: (value) => (value.length < SHORTEST ? `At least ${SHORTEST} characters; a sentence of a few words is a good one.` : null),
      again: (value, { next }) => (value === next ? null : "This is not the same."),
    },
  });
  const save = useMutation({
    mutationFn: ({ current, next }: { current: string; next: string }) => changePassword(current, next),
    onSuccess: () => {
      form.reset();
      notices.done("The password is changed. All other sessions of yours have ended.");
    },
    onError: (error) => {
      const field = fieldOf(error);
      if (field !== undefined && error instanceof OffpeakError) form.setFieldError(field, error.problem.detail.replaceAll("`", ""));
    },
  });
  useUnsaved(form.isDirty() && !save.isPending);
  return (
    <Panel title="Password" about="When it changes, all other sessions of yours end.">
      <form
        className={classes.form}
        noValidate
        onSubmit={form.onSubmit((values) => {
          save.mutate(values);
        })}
      >
        <PasswordInput label="The one you have" autoComplete="current-password" {...form.getInputProps("current")} />
        <PasswordInput label="A new one" autoComplete="new-password" {...form.getInputProps("next")} />
        <PasswordInput label="The new one again" autoComplete="new-password" {...form.getInputProps("again")} />
        <Problem error={fieldOf(save.error) === undefined ? save.error : undefined} />
        <div>
          <Button type="submit" loading={save.isPending}>
            Change the password
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function fieldOf(error: unknown): "current" | "next" | undefined {
  if (!(error instanceof OffpeakError)) return undefined;
  if (error.code === "wrong_password") return "current";
  return error.code === "bad_password" ? "next" : undefined;
}
