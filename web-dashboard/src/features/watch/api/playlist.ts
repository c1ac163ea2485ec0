/** What the page wants to know of a multivariant playlist. Playing it is the player's matter. */
export interface Multivariant {
  /** Address of one media playlist: all of them show the same segments, so one tells how far encoding is. */
  mediaPlaylist: string;
  /** Length of the whole presentation as planned, while the job is still encoding. */
  plannedSeconds: number | undefined;
  /** Addresses of files to download. */
  files: string[];
}

/** How much of the presentation a media playlist offers. */
export interface Readiness {
  readySeconds: number;
  /** Nothing will be added. */
  complete: boolean;
}

const PLANNED_SECONDS = "offpeak.planned-seconds";
const FILE_PREFIX = "offpeak.file.";

/** Reads a multivariant playlist; relative addresses in it are resolved against `base`. Undefined if it names no stream. */
export function readMultivariant(text: string, base: string): Multivariant | undefined {
  const found: Multivariant = { mediaPlaylist: "", plannedSeconds: undefined, files: [] };
  let audioOnly = "";
  for (const line of text.split(/\r?\n/)) {
    if (line !== "" && !line.startsWith("#")) {
      found.mediaPlaylist ||= new URL(line, base).href;
    } else if (line.startsWith("#EXT-X-MEDIA:")) {
      const uri = attributes(line).get("URI");
      if (uri !== undefined) audioOnly ||= new URL(uri, base).href;
    } else if (line.startsWith("#EXT-X-SESSION-DATA:")) {
      const data = attributes(line);
      const [id = "", value = ""] = [data.get("DATA-ID"), data.get("VALUE")];
      if (id === PLANNED_SECONDS && Number(value) > 0) found.plannedSeconds = Number(value);
      if (id.startsWith(FILE_PREFIX) && value !== "") found.files.push(new URL(value, base).href);
    }
  }
  found.mediaPlaylist ||= audioOnly;
  return found.mediaPlaylist === "" ? undefined : found;
}

/** Adds up the segments of a media playlist. */
export function readReadiness(text: string): Readiness {
  let readySeconds = 0;
  for (const [, seconds] of text.matchAll(/^#EXTINF:([\d.]+)/gm)) readySeconds += Number(seconds);
  return { readySeconds, complete: /^#EXT-X-ENDLIST/m.test(text) };
}

/** The attribute list of a tag (RFC 8216 §4.2): names to values, quotes taken off. */
function attributes(line: string): Map<string, string> {
  const list = line.slice(line.indexOf(":") + 1);
  return new Map(
    [...list.matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))/g)].map(([, name = "", quoted, plain]) => [name, quoted ?? plain ?? ""]),
  );
}
