import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../../../test/around";
import { refusal, serve } from "../../../test/server";
import type { Agent } from "../api/agents";
import { MachineDialog, useMachineActs } from "./machine-dialogs";

const machine = (id: string, name: string): Agent => ({
  id,
  name,
  group: "grp_A",
  state: "waiting",
  state_since: "2026-11-25T12:00:00Z",
  standing: "active",
  working: false,
  frames_per_second: 0,
  real_time_speed: 0,
});
const two = [machine("agent_A", "edit-01"), machine("agent_B", "edit-02")];

test("machines are drained with a reason, and it can be taken back", async () => {
  const changes = serve({
    "POST /v1/agents/agent_A/drain": { body: two[0] },
    "POST /v1/agents/agent_B/drain": { body: two[1] },
    "POST /v1/agents/agent_A/resume": { body: two[0] },
    "POST /v1/agents/agent_B/resume": { body: two[1] },
  });
  const closed = vi.fn();
  renderWithin(<MachineDialog asked={{ kind: "drain", agents: two }} onClose={closed} />);
  await userEvent.type(await screen.findByLabelText("Reason"), "  New fan ");
  await userEvent.click(screen.getByRole("button", { name: "Drain" }));
  await userEvent.click(await screen.findByRole("button", { name: "Undo" }));
  expect(closed).toHaveBeenCalledOnce();
  await vi.waitFor(() => {
    expect(changes.map(({ path, body }) => [path, body])).toEqual([
      ["/v1/agents/agent_A/drain", { reason: "New fan" }],
      ["/v1/agents/agent_B/drain", { reason: "New fan" }],
      ["/v1/agents/agent_A/resume", undefined],
      ["/v1/agents/agent_B/resume", undefined],
    ]);
  });
});

test("what the server says of a name is told at its field", async () => {
  serve({ "PATCH /v1/agents/agent_A": refusal(422, "bad_name", "`name` is one line of 1 to 120 characters.") });
  const closed = vi.fn();
  renderWithin(<MachineDialog asked={{ kind: "rename", agents: two.slice(0, 1) }} onClose={closed} />);
  const field = await screen.findByLabelText("Name");
  await userEvent.clear(field);
  await userEvent.type(field, "x");
  await userEvent.click(screen.getByRole("button", { name: "Rename" }));
  await vi.waitFor(() => {
    expect(field).toHaveAccessibleDescription("name is one line of 1 to 120 characters.");
  });
  expect(closed).not.toHaveBeenCalled();
});

function Revokes() {
  const { revoke } = useMachineActs();
  return <button onClick={() => void revoke(two)}>Go</button>;
}

test("revoking asks first", async () => {
  const changes = serve({ "DELETE /v1/agents/agent_A": {}, "DELETE /v1/agents/agent_B": {} });
  renderWithin(<Revokes />);
  await userEvent.click(screen.getByText("Go"));
  expect(await screen.findByText("Revoke 2 machines?")).toBeInTheDocument();
  expect(changes).toEqual([]);
  await userEvent.click(screen.getByRole("button", { name: "Revoke 2 machines" }));
  await vi.waitFor(() => {
    expect(changes.map(({ path }) => path)).toEqual(["/v1/agents/agent_A", "/v1/agents/agent_B"]);
  });
});
