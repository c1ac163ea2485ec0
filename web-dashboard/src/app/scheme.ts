import { localStorageColorSchemeManager } from "@mantine/core";

/** Light, dark, or as the system says, kept in this browser. */
export const schemes = localStorageColorSchemeManager({ key: "offpeak.scheme" });

/** Sets the colours before anything is drawn, so that nothing flashes. */
export function showScheme() {
  const chosen = schemes.get("auto");
  const isDark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", isDark ? "dark" : "light");
}
