import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { renderWithin } from "../test/around";
import { DataTable } from "./data-table";

function Table({ length }: { length: number }) {
  const [rows] = useState(() => Array.from({ length }, (_, index) => ({ id: `row-${index}` })));
  const [ids, change] = useState<ReadonlySet<string>>(new Set());
  return (
    <>
      <DataTable
        label="Things"
        rows={rows}
        idOf={({ id }) => id}
        columns={[{ id: "name", header: "Name", width: "1fr", cell: ({ id }) => id }]}
        selection={{ ids, change, nameOf: (id) => id }}
      />
      <output>{[...ids].length} selected</output>
    </>
  );
}

test("of ten thousand rows few are drawn, and readers are told how many there are", () => {
  renderWithin(<Table length={10_000} />);
  const table = screen.getByRole("table", { name: "Things" });
  expect(table).toHaveAttribute("aria-rowcount", "10001");
  const drawn = within(table).getAllByRole("row").length;
  expect(drawn).toBeGreaterThan(5);
  expect(drawn).toBeLessThan(60);
});

test("rows are selected one by one and all together", async () => {
  renderWithin(<Table length={300} />);
  await userEvent.click(screen.getByLabelText("Select row-1"));
  await userEvent.click(screen.getByLabelText("Select row-3"));
  expect(screen.getByText("2 selected")).toBeInTheDocument();
  await userEvent.click(screen.getByLabelText("Select all rows that are loaded"));
  expect(screen.getByText("300 selected")).toBeInTheDocument();
});
