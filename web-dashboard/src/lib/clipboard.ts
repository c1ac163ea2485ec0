/** Copies a text. The browser's clipboard exists on https and localhost only; elsewhere the old way may still work. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    field.setAttribute("aria-hidden", "true");
    document.body.append(field);
    field.select();
    // Deprecated, and yet the only way on plain http.
    const done = (document as unknown as { execCommand(command: string): boolean }).execCommand("copy");
    field.remove();
    return done;
  }
}
