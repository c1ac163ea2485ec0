/** A file that somebody chose, and in browsers that can: how to open it again later without asking for it. */
export interface Picked {
  file: File;
  handle?: FileSystemFileHandle | undefined;
}

/** What TypeScript's library does not know yet: https://wicg.github.io/file-system-access/ (Chromium has it, on https and localhost). */
interface FilePicker {
  showOpenFilePicker: (options: object) => Promise<FileSystemFileHandle[]>;
}
interface Permission {
  requestPermission?: (descriptor: { mode: "read" }) => Promise<PermissionState>;
}
interface DroppedItem {
  getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}

const EXTENSIONS = [".mkv", ".mxf", ".ts", ".m2ts", ".mts", ".avi", ".mov", ".flv", ".wmv"];

/** For `<input type="file">`. */
export const ACCEPT = ["video/*", "audio/*", ...EXTENSIONS].join();

/** The browser's own window for choosing files; undefined where it gives files only, and an `<input>` does as well. */
export function picker(): (() => Promise<Picked[]>) | undefined {
  const window = globalThis as Partial<FilePicker>;
  if (window.showOpenFilePicker === undefined) return undefined;
  const open = window.showOpenFilePicker;
  return async () => {
    try {
      const types = [{ description: "Films", accept: { "video/*": EXTENSIONS, "audio/*": [".wav", ".flac", ".mp3", ".m4a"] } }];
      const handles = await open({ multiple: true, types });
      return await Promise.all(handles.map(async (handle) => ({ handle, file: await handle.getFile() })));
    } catch (error) {
      // Closed without a choice.
      if (error instanceof DOMException && error.name === "AbortError") return [];
      throw error;
    }
  };
}

/** What was dropped. It has to be called while the event is told of: afterwards the browser has forgotten it. */
export function dropped(transfer: DataTransfer): Promise<Picked[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const picked = items.map(async (item): Promise<Picked | undefined> => {
    const file = item.getAsFile();
    const handle = await (item as DroppedItem).getAsFileSystemHandle?.().catch(() => null);
    if (file === null) return undefined;
    return { file, handle: handle?.kind === "file" ? (handle as FileSystemFileHandle) : undefined };
  });
  return Promise.all(picked).then((all) => all.filter((one) => one !== undefined));
}

/** The file behind a handle of an earlier visit; undefined when it may not be read or is no longer where it was. */
export async function openAgain(handle: FileSystemFileHandle): Promise<File | undefined> {
  try {
    const granted = (await (handle as Permission).requestPermission?.({ mode: "read" })) ?? "granted";
    return granted === "granted" ? await handle.getFile() : undefined;
  } catch {
    return undefined;
  }
}
