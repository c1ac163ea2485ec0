import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import served from "./areas.json";
import { makeRouter } from "./router";

test("the server answers every area of the dashboard with its page, and no other", () => {
  const areas = Object.keys(makeRouter(new QueryClient()).routesByPath).map((path) => path.split("/")[1] ?? "");
  expect([...served].sort()).toEqual([...new Set(areas)].filter((area) => area !== "").sort());
});
