import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

interface Limits {
  page: string;
  /** Modules that are loaded later than the page itself, and yet before anything is clicked. */
  then: string[];
  limitKilobytes: number;
}

/** Adds up the JavaScript that a page loads before anything is clicked, compressed; the build fails when it is too much. */
export function firstLoad({ page, then, limitKilobytes }: Limits): Plugin {
  return {
    name: "offpeak-first-load",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((part) => part.type === "chunk");
      const entry = chunks.find((chunk) => chunk.isEntry && (chunk.facadeModuleId?.endsWith(`/${page}`) ?? false));
      if (entry === undefined) {
        this.error(`there is no ${page} to measure`);
      }
      const seen = new Set<string>();
      const add = (name: string) => {
        if (seen.has(name)) return;
        seen.add(name);
        chunks.find((chunk) => chunk.fileName === name)?.imports.forEach(add);
      };
      add(entry.fileName);
      for (const module of then) {
        const chunk = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith(module) ?? false);
        if (chunk === undefined) this.error(`there is no ${module} to measure`);
        add(chunk.fileName);
      }
      const bytes = chunks.filter((chunk) => seen.has(chunk.fileName)).reduce((sum, chunk) => sum + gzipSync(chunk.code).length, 0);
      const kilobytes = bytes / 1000;
      console.log(`${page}: ${kilobytes.toFixed(1)} kB of JavaScript on the first load (gzip; at most ${limitKilobytes})`);
      if (kilobytes > limitKilobytes) this.error(`${page} loads ${kilobytes.toFixed(1)} kB of JavaScript first; ${limitKilobytes} are allowed`);
    },
  };
}
