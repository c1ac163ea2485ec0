import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(js|css|svg|html)$/;
/** A packet takes so much anyway. */
const WORTH_BYTES = 1200;

/** Writes beside every asset of text what it is packed, once: the server sends that to whoever can read it. */
export function packed(): Plugin {
  return {
    name: "offpeak-packed",
    apply: "build",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle).filter((name) => name.startsWith("assets/") && TEXT.test(name))) {
        const file = join(dir ?? "dist", name);
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_BYTES) continue;
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
      }
    },
  };
}
