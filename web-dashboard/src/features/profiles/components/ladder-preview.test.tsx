import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderWithin } from "../../../test/around";
import { whole } from "../check";
import { LadderPreview } from "./ladder-preview";

const profile = whole({
  name: "test",
  video: {
    ladder: [
      { height: 1080, max_kbps: 5000 },
      { height: 480, max_kbps: 1400 },
    ],
    preset: "medium",
    quality: { mode: "capped_crf", crf: 23 },
  },
  files: [{ name: "film.mp4", container: "mp4" }],
});
const rungs = () =>
  within(screen.getByRole("list", { name: "What is made" }))
    .getAllByRole("listitem")
    .map(({ textContent }) => textContent);

test("what is made depends on the source, and what is left out is said", async () => {
  renderWithin(<LadderPreview profile={profile} />);
  expect(rungs()).toEqual(["1080p1920 × 1080≤ 5.0 Mbit/s", "480p854 × 480≤ 1.4 Mbit/s"]);
  await userEvent.click(screen.getByRole("combobox", { name: "For a source of" }));
  await userEvent.click(await screen.findByRole("option", { name: "720p, 1280 × 720" }));
  expect(rungs()[0]).toBe("720p1280 × 720≤ 2.5 Mbit/s");
  expect(screen.getByText("1080p: left out, as nothing is made larger than the source.")).toBeInTheDocument();
  expect(screen.getByText("film.mp4: 720p with the sound, as one MP4.")).toBeInTheDocument();
});

test("a size that cannot be encoded says so", async () => {
  renderWithin(<LadderPreview profile={profile} />);
  await userEvent.click(screen.getByRole("combobox", { name: "For a source of" }));
  await userEvent.click(await screen.findByRole("option", { name: "Another size" }));
  await userEvent.clear(screen.getByLabelText("Width"));
  await userEvent.type(screen.getByLabelText("Width"), "20000");
  expect(screen.getByRole("alert")).toHaveTextContent("cannot be encoded");
});
