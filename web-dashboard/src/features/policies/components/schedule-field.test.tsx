import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderWithin } from "../../../test/around";
import { type Hours, NIGHTS_AND_WEEKENDS, scheduleInWords } from "../schedule";
import { ScheduleField } from "./schedule-field";

function Form({ initial }: { initial: Hours[] }) {
  const [value, onChange] = useState(initial);
  return (
    <>
      <ScheduleField value={value} onChange={onChange} />
      <output>{scheduleInWords(value)}</output>
    </>
  );
}

test("a usual schedule is chosen, changed and emptied", async () => {
  renderWithin(<Form initial={[]} />);
  expect(screen.getByText("at any time")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Nights and weekends" }));
  expect(screen.getByText("on weeknights 18:00–08:00 and all day at weekends")).toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Nights and weekends" })).toHaveAttribute("aria-pressed", "true");
  // The Friday of the first stretch.
  const [friday] = screen.getAllByRole("button", { name: "Fri" });
  if (friday !== undefined) await userEvent.click(friday);
  expect(screen.getByText("Monday to Thursday 18:00–08:00 and all day at weekends")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Remove stretch 2" }));
  await userEvent.click(screen.getByRole("button", { name: "Remove stretch 1" }));
  expect(screen.getByText("at any time")).toBeInTheDocument();
});

test("any minute can be typed", async () => {
  renderWithin(<Form initial={NIGHTS_AND_WEEKENDS.slice(0, 1)} />);
  const from = screen.getByRole("combobox", { name: "From" });
  await userEvent.clear(from);
  await userEvent.type(from, "19:45");
  expect(screen.getByText("on weeknights 19:45–08:00")).toBeInTheDocument();
  expect(screen.getByText("the next day")).toBeInTheDocument();
});
