import { convertCssVariables, DEFAULT_THEME, defaultCssVariablesResolver, deepMerge, em, keys, mergeMantineTheme, px } from "@mantine/core";
import type { Plugin } from "vite";
import { theme, variables } from "../src/app/theme.ts";

const NAME = "virtual:theme.css";

/**
 * Writes as a file what Mantine would put into a `<style>` element at run time: the theme's variables and the classes that
 * show and hide by width. The pages' content security policy lets no such element in.
 */
export function themeStyles(): Plugin {
  return {
    name: "offpeak-theme-styles",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load: (id) => (id === `\0${NAME}` ? styles() : undefined),
  };
}

function styles(): string {
  const whole = mergeMantineTheme(DEFAULT_THEME, theme);
  const all = deepMerge(defaultCssVariablesResolver(whole), variables(whole));
  const scheme = { variables: {}, dark: { "--mantine-color-scheme": "dark" }, light: { "--mantine-color-scheme": "light" } };
  return convertCssVariables(all) + convertCssVariables(scheme) + keys(whole.breakpoints).map(byWidth).join("");

  function byWidth(name: keyof typeof whole.breakpoints): string {
    const width = Number(px(whole.breakpoints[name]));
    return (
      `@media (max-width: ${em(width - 0.1)}) { .mantine-visible-from-${name} { display: none !important; } }\n` +
      `@media (min-width: ${em(width)}) { .mantine-hidden-from-${name} { display: none !important; } }\n`
    );
  }
}
