import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { Suspense } from "react";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../../test/around";
import { serve } from "../../test/server";
import type { Scope } from "./api/tokens";
import { TokensPage } from "./tokens-page";

const TEAM = { id: "team_A", name: "Newsroom" };
const person = {
  id: "person_A",
  name: "Marta",
  email: "m@example.com",
  role: "member",
  teams: [TEAM],
  disabled: false,
  created_at: "2026-11-25T12:00:00Z",
};
const session = { body: { person, expires_at: "2026-12-09T12:00:00Z" } };
const token = (scopes: Scope[]) => ({ id: "token_A", name: "Intranet", team: TEAM.id, scopes, created_at: "2026-11-25T12:00:00Z" });

const show = () =>
  renderWithin(
    <Suspense>
      <TokensPage />
    </Suspense>,
  );

test("a secret is shown once, and only what one has can be given away", async () => {
  const changes = serve({
    "GET /v1/session": session,
    "GET /v1/tokens": { body: { tokens: [] } },
    "POST /v1/tokens": ({ body }) => ({ status: 201, body: { token: token((body as { scopes: Scope[] }).scopes), secret: "ofp_secret" } }),
  });
  show();
  await screen.findByText("No program has a token yet.");
  const [open] = screen.getAllByRole("button", { name: "New token" });
  if (open !== undefined) await userEvent.click(open);
  const form = await screen.findByRole("dialog");
  expect(within(form).queryByLabelText("admin")).toBeNull();
  expect(within(form).queryByLabelText("agents:read")).toBeNull();
  await userEvent.type(within(form).getByLabelText("Name"), "Intranet");
  await userEvent.click(within(form).getByRole("button", { name: "Watches only" }));
  await userEvent.click(within(form).getByRole("button", { name: "Make it" }));
  expect(await screen.findByText("ofp_secret")).toBeInTheDocument();
  expect(changes[0]?.body).toEqual({ name: "Intranet", scopes: ["jobs:read"], expires_in_days: 365 });
  await userEvent.click(screen.getByRole("button", { name: "I have copied it" }));
  await vi.waitFor(() => {
    expect(screen.queryByText("ofp_secret")).toBeNull();
  });
});

test("who may not see tokens is told why", async () => {
  const detail = "This needs the scope tokens:write.";
  serve({ "GET /v1/session": session, "GET /v1/tokens": { status: 403, body: { code: "insufficient_scope", status: 403, detail } } });
  show();
  expect(await screen.findByRole("alert")).toHaveTextContent(detail);
});
