import {
  type ConvertCSSVariablesInput,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type MantineTheme,
  type VariantColorsResolver,
} from "@mantine/core";

/** The mark's own blue, from its palest tint to its deepest shade. */
const offpeak: MantineColorsTuple = [
  "#eef0ff",
  "#dcdffb",
  "#b9bff6",
  "#a5adff",
  "#7a84ea",
  "#5863da",
  "#4450c8",
  "#3842ad",
  "#2f378f",
  "#232a6e",
];

/** Warm greys, after the pages' own ground. */
const gray: MantineColorsTuple = [
  "#f8f7f5",
  "#f1f0ec",
  "#e7e5df",
  "#dad8d1",
  "#c4c2bb",
  "#9b9a96",
  "#6f7079",
  "#5d606c",
  "#3a3c46",
  "#1b1c22",
];

/** Blueish blacks; 7 is what surfaces are made of, 8 lies below them. */
const dark: MantineColorsTuple = [
  "#eceef4",
  "#c7cad6",
  "#a0a5b4",
  "#6b7080",
  "#3a3f4d",
  "#2a2e39",
  "#21252e",
  "#191c23",
  "#13161b",
  "#101217",
];

/** The accent is pale on dark pages, where white would not be read on it; and Mantine's own red is too pale for white on light ones. */
const variantColorResolver: VariantColorsResolver = (input) => {
  const usual = defaultVariantColorsResolver(input);
  if (input.color === "red" && (input.variant === "subtle" || input.variant === "light")) {
    const background = input.variant === "light" ? "var(--op-bad-wash)" : "transparent";
    return { ...usual, background, hover: "var(--op-bad-wash)", color: "var(--op-bad)" };
  }
  if (input.variant !== "filled") return usual;
  if (input.color === undefined || input.color === "offpeak") return { ...usual, color: "var(--op-accent-ink)" };
  if (input.color !== "red") return usual;
  const hover = "color-mix(in srgb, var(--op-bad) 88%, var(--op-ink))";
  return { ...usual, background: "var(--op-bad)", hover, color: "var(--op-accent-ink)" };
};

/** What screen readers are told: a button that closes says so, and the head of a dialogue is not that of the page. */
const NAMED = { closeButtonProps: { "aria-label": "Close" }, attributes: { header: { role: "presentation" } } };

export const theme = createTheme({
  variantColorResolver,
  colors: { offpeak, gray, dark },
  primaryColor: "offpeak",
  primaryShade: { light: 6, dark: 3 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  black: "#1b1c22",
  defaultRadius: "md",
  radius: { xs: "4px", sm: "6px", md: "9px", lg: "14px", xl: "20px" },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.25" },
      h2: { fontSize: "1.05rem", lineHeight: "1.35" },
      h3: { fontSize: "0.95rem", lineHeight: "1.4" },
    },
  },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Locking the scroll with a script needs a style element; styles/overlay.css does it.
    Modal: { defaultProps: { lockScroll: false, centered: true, radius: "lg", ...NAMED } },
    Drawer: { defaultProps: { lockScroll: false, ...NAMED } },
    Notification: { defaultProps: { closeButtonProps: NAMED.closeButtonProps } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: true, multiline: true, maw: 320 } },
    Paper: { defaultProps: { radius: "lg" } },
    Card: { defaultProps: { radius: "lg", withBorder: true } },
  },
});

/** Mantine's variables that are not what the theme alone would make of them. */
export function variables(theme: MantineTheme): ConvertCSSVariablesInput {
  const common = (ink: string, soft: string, line: string) => ({
    "--mantine-color-text": ink,
    "--mantine-color-dimmed": soft,
    "--mantine-color-default-border": line,
    "--mantine-color-placeholder": soft,
  });
  return {
    variables: {},
    light: {
      ...common("#1b1c22", "#5d606c", "#e2e0da"),
      "--mantine-color-body": "#ffffff",
      "--mantine-color-error": "#b3261e",
      "--mantine-color-default": "#ffffff",
      "--mantine-color-default-hover": theme.colors.gray[1],
    },
    dark: {
      ...common("#eceef4", "#a0a5b4", "#2a2e39"),
      "--mantine-color-body": "#191c23",
      "--mantine-color-error": "#ffb4a9",
      "--mantine-color-default": "#21252e",
      "--mantine-color-default-hover": "#2a2e39",
    },
  };
}
