import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../test/around";
import { useConfirm, useNotices } from "./confirm";

function Asks({ run, told }: { run: () => Promise<unknown>; told: (done: boolean) => void }) {
  const confirm = useConfirm();
  const ask = async () => {
    told(await confirm({ title: "Delete it?", body: "It is gone then.", action: "Delete", run }));
  };
  return <button onClick={() => void ask()}>Ask</button>;
}

test("nothing is done before somebody says so", async () => {
  const [run, told, user] = [vi.fn(() => Promise.resolve()), vi.fn(), userEvent.setup()];
  renderWithin(<Asks run={run} told={told} />);
  await user.click(screen.getByText("Ask"));
  await user.click(await screen.findByText("Leave it"));
  expect(told).toHaveBeenLastCalledWith(false);
  expect(run).not.toHaveBeenCalled();

  await user.click(screen.getByText("Ask"));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  expect(run).toHaveBeenCalledOnce();
  expect(told).toHaveBeenLastCalledWith(true);
});

test("what goes wrong is said in the dialogue, which stays", async () => {
  const [told, user] = [vi.fn(), userEvent.setup()];
  renderWithin(<Asks run={() => Promise.reject(new TypeError("no network"))} told={told} />);
  await user.click(screen.getByText("Ask"));
  await user.click(await screen.findByRole("button", { name: "Delete" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The server does not answer.");
  expect(told).not.toHaveBeenCalled();
});

test("what was done can be undone for a while", async () => {
  const [undo, user] = [vi.fn(() => Promise.resolve()), userEvent.setup()];
  function Does() {
    const notices = useNotices();
    return (
      <button
        onClick={() => {
          notices.done("Drained", undo);
        }}
      >
        Do
      </button>
    );
  }
  renderWithin(<Does />);
  await user.click(screen.getByText("Do"));
  await user.click(await screen.findByRole("button", { name: "Undo" }));
  expect(undo).toHaveBeenCalledOnce();
});
