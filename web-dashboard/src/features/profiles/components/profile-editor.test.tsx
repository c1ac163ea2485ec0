import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { isAnythingUnsaved } from "../../../components/unsaved";
import { renderWithin } from "../../../test/around";
import { refusal, serve } from "../../../test/server";
import { whole } from "../check";
import { ProfileEditor } from "./profile-editor";

const profile = whole({ name: "phone-app", description: "For phones", video: { ladder: [{ height: 720, max_kbps: 2800 }] } });

function edit(saved = vi.fn()) {
  renderWithin(<ProfileEditor isNew={false} initial={profile} taken={new Set()} saved={saved} />);
  return saved;
}

test("what was changed and not saved is known, until it is discarded", async () => {
  edit();
  expect(isAnythingUnsaved()).toBe(false);
  await userEvent.type(screen.getByLabelText("Description"), " and tablets");
  expect(isAnythingUnsaved()).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect(isAnythingUnsaved()).toBe(false);
  expect(screen.getByLabelText("Description")).toHaveValue("For phones");
});

test("looking at the text changes nothing, writing in it does", async () => {
  edit();
  await userEvent.click(screen.getByRole("radio", { name: "Text" }));
  expect(isAnythingUnsaved()).toBe(false);
  await userEvent.type(screen.getByLabelText("The profile as JSON"), " and no JSON");
  expect(isAnythingUnsaved()).toBe(true);
});

test("while it is saved nobody is asked; when it is refused they are again", async () => {
  const during: boolean[] = [];
  serve({
    "PUT /v1/profiles/phone-app": () => {
      during.push(isAnythingUnsaved());
      return refusal(422, "bad_profile", "This profile cannot work: `description` is too long.");
    },
  });
  const saved = edit();
  await userEvent.type(screen.getByLabelText("Description"), " and tablets");
  await userEvent.click(screen.getByRole("button", { name: "Save the profile" }));
  expect(await screen.findByText(/description is too long/)).toBeInTheDocument();
  expect(during).toEqual([false]);
  expect(isAnythingUnsaved()).toBe(true);
  expect(saved).not.toHaveBeenCalled();
});
