// Builds the window once for all tests, and serves it under the policy that the tray app gives its page.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build, preview } from "vite";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    address: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = join(import.meta.dirname, "..");
  const { app } = JSON.parse(readFileSync(join(root, "../shell/tauri.conf.json"), "utf8")) as { app: { security: { csp: string } } };
  const outDir = mkdtempSync(join(tmpdir(), "offpeak-window-"));
  await build({ root, logLevel: "warn", build: { outDir, emptyOutDir: true } });
  const server = await preview({
    root,
    logLevel: "warn",
    build: { outDir },
    preview: { host: "127.0.0.1", port: 0, headers: { "content-security-policy": app.security.csp } },
  });
  const at = server.httpServer.address();
  if (at === null || typeof at === "string") throw new Error("the built window is not served");
  project.provide("address", `http://127.0.0.1:${at.port}/index.html`);
  return async () => {
    await server.close();
    rmSync(outDir, { recursive: true, force: true });
  };
}
