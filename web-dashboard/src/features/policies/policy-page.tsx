import { ActionIcon, Button, Menu, NumberInput, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { FormModal } from "../../components/form-modal";
import { Page, Panel } from "../../components/page";
import { Failed, Loading, Problem } from "../../components/states";
import { Tag } from "../../components/status";
import { WeekGrid } from "../../components/week-grid";
import { useUnsaved } from "../../components/unsaved";
import { errorAt, otherError } from "../../lib/field-errors";
import type { Group } from "../../lib/groups";
import { deleteGroup, groupQuery, type Policy, putPolicy, renameGroup } from "./api/policies";
import classes from "./components/policies.module.css";
import { ScheduleField } from "./components/schedule-field";
import { TimeField } from "./components/time-field";
import { check, toPolicy, toValues, type Values } from "./form-values";
import { hoursAWeek, scheduleInWords, TIME, weekOf } from "./schedule";
import { DEFAULTS, policyInWords } from "./words";

const route = getRouteApi("/policies/$group");
const BACK = { to: "/policies", label: "Policies" } as const;
const FIELDS = Object.keys(toValues(DEFAULTS));

export function PolicyPage() {
  const { group: id } = route.useParams();
  const group = useQuery(groupQuery(id));
  if (group.data === undefined) {
    return (
      <Page title="Policy" back={BACK}>
        <Panel>{group.error === null ? <Loading /> : <Failed error={group.error} retry={() => void group.refetch()} />}</Panel>
      </Page>
    );
  }
  return <PolicyForm key={id} group={group.data} />;
}

function PolicyForm({ group }: { group: Group }) {
  const queries = useQueryClient();
  const notices = useNotices();
  const saved = group.policy;
  const form = useForm<Values>({ mode: "controlled", initialValues: toValues(saved), validate: check, validateInputOnBlur: true });
  const refresh = () => queries.invalidateQueries({ queryKey: ["groups"] });
  const save = useMutation({
    mutationFn: (policy: Policy) => putPolicy(group.id, policy),
    onSuccess: async (policy) => {
      const values = toValues(policy);
      form.setInitialValues(values);
      form.setValues(values);
      form.resetDirty(values);
      await refresh();
      notices.done("Saved. Engines learn of it within a minute.", async () => {
        await putPolicy(group.id, saved);
        const before = toValues(saved);
        form.setInitialValues(before);
        form.setValues(before);
        form.resetDirty(before);
        await refresh();
      });
    },
  });
  useUnsaved(form.isDirty() && !save.isPending);
  const { values } = form;
  const policy = toPolicy(values);
  const at = (field: keyof Values) => ({ ...form.getInputProps(field), ...errorAt(save.error, field) });
  const schedule = values.schedule.filter(({ from, to }) => TIME.test(from) && TIME.test(to));

  return (
    <Page
      title={group.name}
      back={BACK}
      badge={group.is_default && <Tag>for new machines</Tag>}
      about={
        <Link to="/machines" search={{ group: group.id }}>
          {group.agents === 1 ? "One machine" : `${group.agents} machines`}
        </Link>
      }
      actions={<Acts group={group} />}
    >
      <form
        className={classes.layout}
        noValidate
        onSubmit={form.onSubmit((checked) => {
          save.mutate(toPolicy(checked));
        })}
      >
        <div className={classes.form}>
          <Panel title="When" about="By each machine’s own clock.">
            <ScheduleField {...at("schedule")} value={values.schedule} />
          </Panel>
          <Panel title="While nobody needs it">
            <div className={classes.fields}>
              <TimeField
                label="Begin after"
                description="So long without keyboard or mouse."
                {...at("start_after_idle_seconds")}
                value={values.start_after_idle_seconds}
              />
              <NumberInput
                label="Other programs use less than"
                description="Of the whole processor."
                suffix=" %"
                min={5}
                max={100}
                {...at("other_cpu_below")}
              />
              <TimeField
                label="Go on after"
                description="Once somebody came back and left."
                {...at("resume_after_idle_seconds")}
                value={values.resume_after_idle_seconds}
              />
              <TimeField
                label="Hand work back after"
                description="When they do not leave."
                {...at("release_after_suspended_seconds")}
                value={values.release_after_suspended_seconds}
              />
            </div>
          </Panel>
          <Panel title="Under which conditions">
            <div className={classes.switches}>
              <Switch
                label="Only while plugged in"
                description="Not on battery."
                {...form.getInputProps("mains_only", { type: "checkbox" })}
              />
              <Switch
                label="Not over metered connections"
                description="Those that are paid by volume, such as a phone’s."
                {...form.getInputProps("unmetered_only", { type: "checkbox" })}
              />
              <Switch
                label="Only where ffmpeg is walled off in full"
                description="Machines that cannot do that get no work; their pages say what is missing."
                {...form.getInputProps("require_sandbox", { type: "checkbox" })}
              />
            </div>
          </Panel>
          <Panel title="How much of a machine" about="Empty is no limit.">
            <div className={classes.fields}>
              <NumberInput label="Cores" placeholder="All" min={1} allowDecimal={false} {...at("max_cores")} />
              <NumberInput label="Memory" placeholder="What it can spare" suffix=" GiB" min={0} step={1} {...at("max_memory_mib")} />
              <NumberInput label="Network" placeholder="All" suffix=" Mbit/s" min={0} step={1} {...at("max_bits_per_second")} />
            </div>
          </Panel>
          <Problem error={otherError(save.error, FIELDS)} />
          {form.isDirty() && (
            <div className={classes.save}>
              <span>Changes are not saved yet.</span>
              <Button
                variant="default"
                onClick={() => {
                  save.reset();
                  form.reset();
                }}
              >
                Discard
              </Button>
              <Button type="submit" loading={save.isPending}>
                Save the policy
              </Button>
            </div>
          )}
        </div>
        <div className={classes.preview}>
          <Panel title="What it means">
            <div className={classes.sentences} aria-live="polite">
              {policyInWords({ ...policy, schedule }).map((sentence) => (
                <p key={sentence}>{sentence}</p>
              ))}
            </div>
            <WeekGrid
              cells={weekOf(schedule)}
              label={`Work is allowed ${scheduleInWords(schedule)}.`}
              caption={`${hoursAWeek(schedule)} of 168 hours a week.`}
            />
          </Panel>
        </div>
      </form>
    </Page>
  );
}

function Acts({ group }: { group: Group }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const confirm = useConfirm();
  const notices = useNotices();
  const [renaming, setRenaming] = useState(false);
  const remove = async () => {
    const isDone = await confirm({
      title: `Delete the group “${group.name}”?`,
      body: (
        <p>
          Its policy is lost.{" "}
          {group.agents === 0
            ? "No machine is in it."
            : `Its ${group.agents === 1 ? "machine goes" : `${group.agents} machines go`} to the default group, and work by that one’s policy.`}
        </p>
      ),
      action: "Delete it",
      danger: true,
      run: () => deleteGroup(group.id),
    });
    if (!isDone) return;
    await navigate({ to: "/policies" });
    queries.removeQueries({ queryKey: ["groups", group.id] });
    await queries.invalidateQueries({ queryKey: ["groups"] });
    notices.done(`${group.name} deleted`);
  };
  return (
    <>
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More to do with this group">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => {
              setRenaming(true);
            }}
          >
            Rename…
          </Menu.Item>
          {!group.is_default && (
            <Menu.Item color="red" onClick={() => void remove()}>
              Delete…
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {renaming && (
        <Rename
          group={group}
          onClose={() => {
            setRenaming(false);
          }}
        />
      )}
    </>
  );
}

function Rename({ group, onClose }: { group: Group; onClose: () => void }) {
  const queries = useQueryClient();
  const notices = useNotices();
  const form = useForm({ initialValues: { name: group.name } });
  const submit = async () => {
    const name = form.values.name.trim();
    await renameGroup(group.id, name);
    await queries.invalidateQueries({ queryKey: ["groups"] });
    notices.done(`${group.name} is now ${name}`, async () => {
      await renameGroup(group.id, group.name);
      await queries.invalidateQueries({ queryKey: ["groups"] });
    });
    onClose();
  };
  return (
    <FormModal
      opened
      isDirty={form.isDirty()}
      title={`Rename ${group.name}`}
      action="Rename"
      onClose={onClose}
      onSubmit={submit}
      rest={(error) => otherError(error, ["name"])}
      disabled={form.values.name.trim() === ""}
    >
      {(error) => <TextInput label="Name" maxLength={120} data-autofocus {...form.getInputProps("name")} {...errorAt(error, "name")} />}
    </FormModal>
  );
}
