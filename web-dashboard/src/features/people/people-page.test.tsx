import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../../test/around";
import { refusal, serve } from "../../test/server";
import { PeoplePage } from "./people-page";

const TEAM = { id: "team_A", name: "Newsroom" };
const ada = {
  id: "person_A",
  name: "Ada",
  email: "ada@example.com",
  role: "admin",
  teams: [],
  disabled: false,
  created_at: "2026-11-25T12:00:00Z",
};
const grace = { ...ada, id: "person_B", name: "Grace", email: "grace@example.com", role: "member", teams: [TEAM] };
const replies = {
  "GET /v1/session": { body: { person: ada, expires_at: "2026-12-09T12:00:00Z" } },
  "GET /v1/people": { body: { people: [ada, grace] } },
  "GET /v1/invitations": { body: { invitations: [] } },
  "GET /v1/teams": { body: { teams: [{ ...TEAM, weight: 1, created_at: "2026-11-25T12:00:00Z" }] } },
};
const show = () =>
  renderWithin(
    <Suspense>
      <PeoplePage />
    </Suspense>,
  );

test("an invitation is a link that is told once", async () => {
  const link = { kind: "invitation", email: "lena@example.com", url: "http://farm/invitation?code=x", expires_at: "2026-12-02T12:00:00Z" };
  const changes = serve({ ...replies, "POST /v1/invitations": { status: 201, body: link } });
  show();
  await userEvent.click(await screen.findByRole("button", { name: "Invite" }));
  const form = await screen.findByRole("dialog");
  await userEvent.type(within(form).getByLabelText("Email"), "lena@example.com");
  await userEvent.click(await within(form).findByLabelText("Newsroom"));
  await userEvent.click(within(form).getByRole("button", { name: "Make the link" }));
  expect(await screen.findByText(link.url)).toBeInTheDocument();
  expect(changes[0]?.body).toEqual({ email: "lena@example.com", role: "member", teams: ["team_A"] });
});

test("role and teams are changed together, and only what changed is sent", async () => {
  const changes = serve({ ...replies, "PATCH /v1/people/person_B": { body: grace }, "DELETE /v1/teams/team_A/members/person_B": {} });
  show();
  await userEvent.click(await screen.findByRole("button", { name: "More to do with Grace" }));
  await userEvent.click(await screen.findByRole("menuitem", { name: "Edit, role, teams…" }));
  await userEvent.click(await screen.findByRole("radio", { name: /^Operator/ }));
  await userEvent.click(await screen.findByLabelText("Newsroom"));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  await vi.waitFor(() => {
    expect(changes.map(({ method, path, body }) => [method, path, body])).toEqual([
      ["PATCH", "/v1/people/person_B", { name: "Grace", role: "operator" }],
      ["DELETE", "/v1/teams/team_A/members/person_B", undefined],
    ]);
  });
});

test("the last administrator stays: what the server says is shown where it was asked", async () => {
  serve({ ...replies, "PATCH /v1/people/person_A": refusal(409, "last_admin", "Nobody else is an administrator.") });
  show();
  await userEvent.click(await screen.findByRole("button", { name: "More to do with Ada" }));
  expect(screen.queryByRole("menuitem", { name: "Delete…" })).toBeNull();
  await userEvent.click(await screen.findByRole("menuitem", { name: "Edit, role, teams…" }));
  await userEvent.click(await screen.findByRole("radio", { name: /^Member/ }));
  await userEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Nobody else is an administrator.");
});
