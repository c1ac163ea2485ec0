import { OffpeakError } from "@offpeak/sdk";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { renderWithin } from "../test/around";
import { Loaded } from "./states";

const refusal = new OffpeakError({
  type: "about:blank",
  title: "Not found",
  status: 404,
  code: "job_not_found",
  detail: "There is no job job_1.",
  hint: "See GET /v1/jobs.",
  request_id: "req_7",
});

test("a refusal is told with what to do and its code, and can be tried again", async () => {
  const refetch = vi.fn();
  renderWithin(<Loaded query={{ data: undefined, error: refusal, refetch }}>{() => "data"}</Loaded>);
  expect(screen.getByRole("alert")).toHaveTextContent("There is no job job_1.See GET /v1/jobs.Try againjob_not_found · request req_7");
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalledOnce();
});

test("what was read once stays while the server is away", () => {
  renderWithin(<Loaded query={{ data: 7, error: refusal, refetch: vi.fn() }}>{(data) => `read: ${data}`}</Loaded>);
  expect(screen.getByText("read: 7")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).toBeNull();
});
