import { readdirSync } from "node:fs";
import { join } from "node:path";
import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** These of Mantine's put `<style>` elements into the page, which its content security policy refuses. */
const NEEDS_STYLE_ELEMENTS = ["AppShell", "Flex", "Grid", "SimpleGrid", "InlineStyles", "ColorSchemeScript"];
const features = readdirSync(join(import.meta.dirname, "src/features"));

export default tseslint.config(
  { ignores: ["dist", "node_modules"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-restricted-imports": [
        "error",
        { paths: [{ name: "@mantine/core", importNames: NEEDS_STYLE_ELEMENTS, message: "It needs <style> elements; see components/page.tsx." }] },
      ],
    },
  },
  {
    files: ["src/**/*.tsx"],
    extends: [reactHooks.configs.flat.recommended],
    rules: {
      // TanStack Virtual hands out functions that must not be memoised; nothing here is compiled to be.
      "react-hooks/incompatible-library": "off",
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute > JSXExpressionContainer > ObjectExpression > Property[key.name=/^(base|xs|sm|md|lg|xl)$/]",
          message: "Values by width need <style> elements, which the content security policy refuses: use a file of styles.",
        },
        {
          selector: "JSXOpeningElement[name.name='style']",
          message: "The content security policy refuses <style> elements: use a file of styles.",
        },
      ],
    },
  },
  // Features do not import each other, and nothing below them imports them.
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**/*.{ts,tsx}`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: `/features/`, message: "Features do not import each other: what two of them need belongs into src/components or src/lib." },
            { regex: `^(\\.\\./)+(?:${features.filter((other) => other !== feature).join("|")})/`, message: "Features do not import each other." },
            { regex: "^(\\.\\./)+app/", message: "The app imports features, not the other way round; getRouteApi knows the routes." },
          ],
        },
      ],
    },
  })),
  {
    files: ["src/components/**/*.{ts,tsx}", "src/lib/**/*.{ts,tsx}"],
    rules: { "no-restricted-imports": ["error", { patterns: [{ regex: "/(features|app)/", message: "Shared code knows no features." }] }] },
  },
);
