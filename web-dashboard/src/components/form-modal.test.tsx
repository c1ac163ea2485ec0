import { TextInput } from "@mantine/core";
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { beforeEach, expect, test, vi } from "vitest";
import { renderWithin } from "../test/around";
import { FormModal } from "./form-modal";
import { isAnythingUnsaved } from "./unsaved";

const [onClose, onSubmit] = [vi.fn(), vi.fn(() => Promise.resolve())];

function Form() {
  const [name, setName] = useState("");
  return (
    <FormModal opened isDirty={name !== ""} title="Rename" action="Rename it" onClose={onClose} onSubmit={onSubmit}>
      <TextInput
        label="Name"
        value={name}
        onChange={({ currentTarget }) => {
          setName(currentTarget.value);
        }}
      />
    </FormModal>
  );
}

beforeEach(() => {
  vi.clearAllMocks();
});

test("a dialogue in which nothing was changed closes at once", async () => {
  renderWithin(<Form />);
  await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(onClose).toHaveBeenCalledOnce();
  expect(isAnythingUnsaved()).toBe(false);
});

test.each(["{Escape}", "the button"])("closed by %s, one with changes asks first", async (how) => {
  const close = () => (how === "the button" ? userEvent.click(screen.getByRole("button", { name: "Close" })) : userEvent.keyboard(how));
  renderWithin(<Form />);
  await userEvent.type(screen.getByLabelText("Name"), "Third floor");
  expect(isAnythingUnsaved()).toBe(true);
  await close();
  await userEvent.click(await screen.findByRole("button", { name: "Go on with it" }));
  expect(onClose).not.toHaveBeenCalled();
  expect(screen.getByLabelText("Name")).toHaveValue("Third floor");
  await waitFor(() => {
    expect(screen.queryByRole("button", { name: "Close without saving" })).toBeNull();
  });

  await close();
  await userEvent.click(await screen.findByRole("button", { name: "Close without saving" }));
  expect(onClose).toHaveBeenCalledOnce();
});

test("the key that closes the question does not ask it again", async () => {
  renderWithin(<Form />);
  await userEvent.type(screen.getByLabelText("Name"), "Third floor");
  await userEvent.keyboard("{Escape}");
  await screen.findByRole("button", { name: "Close without saving" });
  await userEvent.keyboard("{Escape}");
  await waitFor(() => {
    expect(screen.queryByRole("button", { name: "Close without saving" })).toBeNull();
  });
  expect(onClose).not.toHaveBeenCalled();
});

test("what is being saved may lead to another page", async () => {
  const seen: boolean[] = [];
  onSubmit.mockImplementationOnce(async () => {
    await new Promise((resolve) => setTimeout(resolve));
    seen.push(isAnythingUnsaved());
  });
  renderWithin(<Form />);
  await userEvent.type(screen.getByLabelText("Name"), "Third floor");
  await userEvent.click(screen.getByRole("button", { name: "Rename it" }));
  expect(seen).toEqual([false]);
});
