import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// A page per address that the server answers; the server embeds `dist` (server/src/web).
export default defineConfig({
  build: {
    target: "es2022",
    // The pages' content security policy allows no `data:` addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    // Every browser that plays these streams preloads modules by itself.
    modulePreload: { polyfill: false },
    // hls.js alone is over the default limit, and it is loaded only by the player page.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: ["index.html", "watch.html"] },
  },
  // Its source: the pages are built with it, so that nothing has to be built before them.
  resolve: { alias: { "@offpeak/sdk": fileURLToPath(new URL("../openapi/sdk/typescript/src/index.ts", import.meta.url)) } },
  server: {
    // `npm run dev` beside a running server.
    proxy: Object.fromEntries(
      ["/media", "/v1", "/docs", "/openapi.json"].map((path) => [path, process.env.OFFPEAK_URL ?? "http://127.0.0.1:7070"]),
    ),
  },
});
