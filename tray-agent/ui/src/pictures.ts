// The tray's own pictures, so that the window and the panel say the same.

import attention from "../../shell/icons/tray/attention.svg";
import inUse from "../../shell/icons/tray/in-use.svg";
import noServer from "../../shell/icons/tray/no-server.svg";
import paused from "../../shell/icons/tray/paused.svg";
import waiting from "../../shell/icons/tray/waiting.svg";
import working from "../../shell/icons/tray/working.svg";
import type { Picture } from "./shell";

const PICTURES: Record<Picture, string> = { attention, in_use: inUse, no_server: noServer, paused, waiting, working };

export function show(image: HTMLImageElement, picture: Picture): void {
  const address = PICTURES[picture];
  if (image.getAttribute("src") !== address) image.setAttribute("src", address);
}
