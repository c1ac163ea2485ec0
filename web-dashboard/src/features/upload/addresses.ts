/** The addresses in a text, one a line or separated by spaces; and what is none. */
export function addressesIn(text: string): { urls: string[]; wrong: string[] } {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const urls: string[] = [];
  const wrong: string[] = [];
  for (const word of words) {
    const url = URL.canParse(word) ? new URL(word) : undefined;
    if (url !== undefined && ["http:", "https:"].includes(url.protocol) && url.hostname !== "") urls.push(url.href);
    else wrong.push(word);
  }
  return { urls: [...new Set(urls)], wrong };
}
