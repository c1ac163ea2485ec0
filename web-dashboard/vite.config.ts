import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { firstLoad } from "./build/first-load.ts";
import { packed } from "./build/packed.ts";
import { themeStyles } from "./build/theme-styles.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const proxy = Object.fromEntries(
  ["/media", "/v1", "/docs", "/openapi.json", "/login", "/setup", "/invitation", "/reset", "/access"].map((path) => [
    path,
    process.env.OFFPEAK_URL ?? "http://127.0.0.1:7070",
  ]),
);
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

// A page per address that the server answers; the server embeds `dist` (server/src/web).
export default defineConfig({
  plugins: [react(), themeStyles(), firstLoad({ page: "index.html", then: ["overview/overview-page.tsx", "overview/components/throughput-chart.tsx"], limitKilobytes: 250 }), packed()],
  build: {
    target: "es2022",
    // The pages' content security policy allows no `data:` addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    // Every browser that plays these streams preloads modules by itself.
    modulePreload: { polyfill: false },
    // hls.js alone is over the default limit, and it is loaded only where a film is played.
    chunkSizeWarningLimit: 700,
    manifest: true,
    rolldownOptions: { input: ["index.html", "watch.html"] },
  },
  // The client's source: the pages are built with it, so that nothing has to be built before them.
  resolve: { alias: { "@offpeak/sdk": here("../openapi/sdk/typescript/src/index.ts") } },
  // `npm run dev` or `npm run preview` beside a running server; a preview is held to the policy that the server sends.
  server: { proxy },
  preview: { proxy, headers: { "content-security-policy": policy } },
  test: { environment: "jsdom", setupFiles: ["src/test/setup.ts"], include: ["src/**/*.test.{ts,tsx}"], testTimeout: 20_000 },
});
