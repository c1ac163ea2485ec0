import { Select, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useConfirm, useNotices } from "../../../components/confirm";
import { FormModal } from "../../../components/form-modal";
import { errorAt, otherError } from "../../../lib/field-errors";
import { groupsQuery } from "../../../lib/groups";
import { type Agent, changeAgent, drainAgent, resumeAgent, revokeAgent, setAgentAside } from "../api/agents";

export interface Asked {
  kind: "drain" | "setAside" | "rename" | "move";
  agents: readonly Agent[];
}

const LONGEST_REASON = 200;
const LONGEST_NAME = 120;

/** `edit-01`, or `3 machines`. */
export function called(agents: readonly Agent[]): string {
  const [first] = agents;
  return agents.length === 1 && first !== undefined ? first.name : `${agents.length} machines`;
}

/** What is done at once, or after a question: each says what it did, and how to take it back. */
export function useMachineActs(done: () => void = () => undefined) {
  const queries = useQueryClient();
  const notices = useNotices();
  const confirm = useConfirm();
  const refresh = () =>
    Promise.all([queries.invalidateQueries({ queryKey: ["agents"] }), queries.invalidateQueries({ queryKey: ["agent"] })]);
  /** One after the other: a server is not to be hit by hundreds of requests at once. */
  const each = async (agents: readonly Agent[], act: (agent: Agent) => Promise<unknown>) => {
    try {
      for (const agent of agents) await act(agent);
    } finally {
      await refresh();
    }
  };

  const resume = async (agents: readonly Agent[]) => {
    try {
      await each(agents, ({ id }) => resumeAgent(id));
      notices.done(`${called(agents)} may work again`);
      done();
    } catch (error) {
      notices.failed(`${called(agents)} could not be resumed`, error);
    }
  };
  const revoke = async (agents: readonly Agent[]) => {
    const isDone = await confirm({
      title: `Revoke ${called(agents)}?`,
      body: (
        <p>
          What {agents.length === 1 ? "it holds" : "they hold"} is taken away at once and goes to other machines. This is for good: the way
          back is to enrol
          {agents.length === 1 ? " the machine" : " each machine"} again.
        </p>
      ),
      action: agents.length === 1 ? "Revoke it" : `Revoke ${agents.length} machines`,
      danger: true,
      run: () => each(agents, ({ id }) => revokeAgent(id)),
    });
    if (isDone) {
      notices.done(`${called(agents)} revoked`);
      done();
    }
    return isDone;
  };
  return { each, resume, revoke };
}

/** The dialogues that ask for a reason, a name or a group. */
export function MachineDialog({
  asked,
  onClose,
  onDone = () => undefined,
}: {
  asked: Asked | undefined;
  onClose: () => void;
  onDone?: () => void;
}) {
  if (asked === undefined) return null;
  const close = () => {
    onClose();
    onDone();
  };
  switch (asked.kind) {
    case "drain":
    case "setAside":
      return <WithReason kind={asked.kind} agents={asked.agents} onClose={onClose} onDone={close} />;
    case "rename":
      return asked.agents[0] === undefined ? null : <Rename agent={asked.agents[0]} onClose={onClose} onDone={close} />;
    case "move":
      return <Move agents={asked.agents} onClose={onClose} onDone={close} />;
  }
}

interface Part {
  agents: readonly Agent[];
  onClose: () => void;
  onDone: () => void;
}

function WithReason({ kind, agents, onClose, onDone }: Part & { kind: "drain" | "setAside" }) {
  const { each } = useMachineActs();
  const notices = useNotices();
  const form = useForm({ initialValues: { reason: "" } });
  const drains = kind === "drain";
  const submit = async () => {
    const reason = form.values.reason.trim();
    await each(agents, ({ id }) => (drains ? drainAgent(id, reason) : setAgentAside(id, reason)));
    notices.done(drains ? `${called(agents)}: draining` : `${called(agents)}: set aside`, () => each(agents, ({ id }) => resumeAgent(id)));
    onDone();
  };
  return (
    <FormModal
      opened
      isDirty={form.isDirty()}
      title={drains ? `Drain ${called(agents)}` : `Set ${called(agents)} aside`}
      action={drains ? "Drain" : "Set aside"}
      onClose={onClose}
      onSubmit={submit}
      rest={(error) => otherError(error, ["reason"])}
    >
      {(error) => (
        <>
          <p>
            {drains
              ? "What it holds is finished first, then it gets nothing more until somebody resumes it. Right before an update or a repair."
              : "What it holds is taken away at once and goes to other machines; it gets nothing until somebody resumes it. Right when something is wrong with it."}
          </p>
          <TextInput
            label="Reason"
            description="Shown here and at the machine itself. It may stay empty."
            placeholder="New fan on Friday"
            maxLength={LONGEST_REASON}
            data-autofocus
            {...form.getInputProps("reason")}
            {...errorAt(error, "reason")}
          />
        </>
      )}
    </FormModal>
  );
}

function Rename({ agent, onClose, onDone }: { agent: Agent; onClose: () => void; onDone: () => void }) {
  const { each } = useMachineActs();
  const notices = useNotices();
  const form = useForm({ initialValues: { name: agent.name } });
  const submit = async () => {
    const name = form.values.name.trim();
    if (name !== agent.name) {
      await each([agent], ({ id }) => changeAgent(id, { name }));
      notices.done(`${agent.name} is now ${name}`, () => each([agent], ({ id }) => changeAgent(id, { name: agent.name })));
    }
    onDone();
  };
  return (
    <FormModal
      opened
      isDirty={form.isDirty()}
      title={`Rename ${agent.name}`}
      action="Rename"
      onClose={onClose}
      onSubmit={submit}
      rest={(error) => otherError(error, ["name"])}
      disabled={form.values.name.trim() === ""}
    >
      {(error) => (
        <TextInput label="Name" maxLength={LONGEST_NAME} data-autofocus {...form.getInputProps("name")} {...errorAt(error, "name")} />
      )}
    </FormModal>
  );
}

function Move({ agents, onClose, onDone }: Part) {
  const { each } = useMachineActs();
  const notices = useNotices();
  const { data: groups = [] } = useQuery(groupsQuery);
  const queries = useQueryClient();
  const form = useForm<{ group: string | null }>({ initialValues: { group: agents.length === 1 ? (agents[0]?.group ?? null) : null } });
  const submit = async () => {
    const { group } = form.values;
    if (group === null) return;
    await each(agents, ({ id }) => changeAgent(id, { group }));
    await queries.invalidateQueries({ queryKey: ["groups"] });
    const name = groups.find(({ id }) => id === group)?.name ?? "the group";
    notices.done(`${called(agents)} moved to ${name}`, () => each(agents, ({ id, group: before }) => changeAgent(id, { group: before })));
    onDone();
  };
  return (
    <FormModal
      opened
      isDirty={form.isDirty()}
      title={`Move ${called(agents)}`}
      action="Move"
      onClose={onClose}
      onSubmit={submit}
      disabled={form.values.group === null}
    >
      <Select
        label="Group"
        description="It works by the group's policy from the next minute on."
        placeholder="Choose a group"
        allowDeselect={false}
        data-autofocus
        data={groups.map(({ id, name }) => ({ value: id, label: name }))}
        {...form.getInputProps("group")}
      />
    </FormModal>
  );
}
