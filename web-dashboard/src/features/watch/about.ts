import { byId, element } from "../../lib/dom";
import { byteSize } from "../../lib/format";
import { askForSize, dashAddress, hlsAddress } from "./api/stream";

/** How long a button says that it has copied. */
const SAID_FOR_MS = 1600;

const said = byId("said", HTMLElement);

/** Shows the addresses for other players. Call once. */
export function showAddresses(job: string) {
  for (const [id, address] of [
    ["hls", hlsAddress(job)],
    ["dash", dashAddress(job)],
  ] as const) {
    const field = byId(id, HTMLInputElement);
    field.value = address;
    field.addEventListener("focus", () => {
      field.select();
    });
  }
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copies]")) {
    const field = byId(button.dataset.copies ?? "", HTMLInputElement);
    button.setAttribute("aria-label", `Copy the ${field.labels?.[0]?.textContent ?? ""} address`);
    button.addEventListener("click", () => {
      void copy(field).then((copied) => {
        button.textContent = copied ? "Copied" : "Press Ctrl+C";
        said.textContent = button.textContent;
        window.setTimeout(() => {
          button.textContent = "Copy";
          said.textContent = "";
        }, SAID_FOR_MS);
      });
    });
  }
  byId("about", HTMLElement).hidden = false;
}

/** The clipboard exists only on https and localhost; elsewhere the text is selected for the viewer to copy. */
async function copy(field: HTMLInputElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return false;
  }
}

/** Lists files to download, with their sizes as they come in. */
export function showFiles(addresses: string[]) {
  byId("downloads", HTMLElement).hidden = addresses.length === 0;
  byId("files", HTMLElement).replaceChildren(
    ...addresses.map((address) => {
      const name = decodeURIComponent(new URL(address).pathname.split("/").at(-1) ?? "");
      const size = element("span");
      void askForSize(address).then((bytes) => {
        if (bytes !== undefined) size.textContent = byteSize(bytes);
      });
      return element("li", {}, element("a", { href: address, download: name }, name), size);
    }),
  );
}
