import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { OffpeakError } from "../../../lib/api";
import { renderWithin } from "../../../test/around";
import { WebhookForm } from "./webhook-form";

const EMPTY = { url: "", description: "", events: [] };

test("some events are some, and everything is an empty list", async () => {
  const made = vi.fn(() => Promise.resolve());
  renderWithin(<WebhookForm title="New" action="Make it" initial={EMPTY} onClose={() => undefined} onSubmit={made} />);
  await userEvent.type(await screen.findByLabelText("Address"), " https://example.com/x ");
  await userEvent.click(screen.getByRole("radio", { name: "Only some events" }));
  expect(screen.getByRole("button", { name: "Make it" })).toBeDisabled();
  await userEvent.click(screen.getByLabelText("job.failed"));
  await userEvent.click(screen.getByRole("button", { name: "Make it" }));
  expect(made).toHaveBeenLastCalledWith({ url: "https://example.com/x", description: "", events: ["job.failed"] });
  await userEvent.click(screen.getByRole("radio", { name: "Everything" }));
  await userEvent.click(screen.getByRole("button", { name: "Make it" }));
  expect(made).toHaveBeenLastCalledWith({ url: "https://example.com/x", description: "", events: [] });
});

test("an address that is refused is told where it is written", async () => {
  const problem = {
    type: "about:blank",
    title: "",
    status: 422,
    code: "bad_url",
    detail: "`url` is not public.",
    hint: "Ask the administrator.",
  };
  const refuse = () => Promise.reject(new OffpeakError(problem));
  renderWithin(
    <WebhookForm title="New" action="Make it" initial={{ ...EMPTY, url: "http://10.0.0.1" }} onClose={() => undefined} onSubmit={refuse} />,
  );
  await userEvent.click(await screen.findByRole("button", { name: "Make it" }));
  expect(await screen.findByText("url is not public. Ask the administrator.")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
});
