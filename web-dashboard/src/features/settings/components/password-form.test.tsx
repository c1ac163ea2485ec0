import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../../../test/around";
import { refusal, serve } from "../../../test/server";
import { PasswordForm } from "./password-form";

async function fill(current: string, next: string, again: string) {
  await userEvent.type(screen.getByLabelText("The one you have"), current);
  await userEvent.type(screen.getByLabelText("A new one"), next);
  await userEvent.type(screen.getByLabelText("The new one again"), again);
  await userEvent.click(screen.getByRole("button", { name: "Change the password" }));
}

test("a slip is told before anything is sent", async () => {
  const changes = serve({});
  renderWithin(<PasswordForm />);
  await fill("old", "too short", "else");
  expect(screen.getByText(/^At least 10 characters/)).toBeInTheDocument();
  expect(screen.getByText("This is not the same.")).toBeInTheDocument();
  expect(changes).toEqual([]);
});

test("a wrong password is told at its field", async () => {
  serve({ "PUT /v1/session/password": refusal(403, "wrong_password", "`current` is not your password.") });
  renderWithin(<PasswordForm />);
  await fill("wrong", "a long new password", "a long new password");
  expect(await screen.findByText("current is not your password.")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
});

test("what was typed is forgotten when it is done", async () => {
  const changes = serve({ "PUT /v1/session/password": {} });
  renderWithin(<PasswordForm />);
  await fill("the old one", "a long new password", "a long new password");
  await vi.waitFor(() => {
    expect(screen.getByLabelText("A new one")).toHaveValue("");
  });
  expect(changes[0]?.body).toEqual({ current: "the old one", new: "a long new password" });
});
