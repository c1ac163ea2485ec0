import { defineConfig } from "vitest/config";

// One page, which the tray app carries (`tray-agent/shell/tauri.conf.json`).
export default defineConfig({
  base: "./",
  build: {
    target: ["es2022", "safari15"],
    // The page's content security policy allows no `data:` addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    globalSetup: "pictures/build.ts",
    // A browser on a machine that does other things as well.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
