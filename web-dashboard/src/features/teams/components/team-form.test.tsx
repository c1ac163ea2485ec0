import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../../../test/around";
import { TeamForm } from "./team-form";

test("a weight says which share it is", async () => {
  const saved = vi.fn(() => Promise.resolve());
  const others = [{ weight: 1 }, { weight: 2 }];
  renderWithin(
    <TeamForm title="New" action="Make it" initial={{ name: "", weight: 1 }} others={others} onClose={() => undefined} onSubmit={saved} />,
  );
  expect(await screen.findByText(/^25 % of the farm/)).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Make it" })).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Name"), "Sport");
  await userEvent.clear(screen.getByLabelText("Weight"));
  await userEvent.type(screen.getByLabelText("Weight"), "3");
  expect(screen.getByText(/^50 % of the farm/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Make it" }));
  expect(saved).toHaveBeenLastCalledWith({ name: "Sport", weight: 3 });
  await userEvent.clear(screen.getByLabelText("Weight"));
  await userEvent.type(screen.getByLabelText("Weight"), "101");
  expect(screen.getByText("0.01 to 100")).toBeInTheDocument();
});
