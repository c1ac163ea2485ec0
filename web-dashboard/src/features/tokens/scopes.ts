import type { Role } from "../../lib/session";
import type { Scope } from "./api/tokens";

interface About {
  scope: Scope;
  about: string;
  /** Who may hand it out: nobody gives what they do not have. */
  needs: Role;
}

export const SCOPES: About[] = [
  { scope: "jobs:read", about: "read jobs, what they made, sources and profiles", needs: "member" },
  { scope: "jobs:write", about: "make, cancel, retry and delete jobs; make profiles", needs: "member" },
  { scope: "uploads:write", about: "upload and delete sources", needs: "member" },
  { scope: "webhooks:read", about: "read webhooks and their deliveries", needs: "member" },
  { scope: "webhooks:write", about: "make, change and delete webhooks", needs: "member" },
  { scope: "tokens:write", about: "list, make and revoke tokens", needs: "member" },
  { scope: "agents:read", about: "read machines, groups and policies of the whole farm", needs: "operator" },
  { scope: "agents:write", about: "change them, and make enrolment codes", needs: "operator" },
  { scope: "admin", about: "everything, in every team; people, too", needs: "admin" },
];

interface Bundle {
  label: string;
  scopes: Scope[];
}

/** What most programs need. */
export const BUNDLES: Bundle[] = [
  { label: "Submits videos", scopes: ["jobs:read", "jobs:write", "uploads:write"] },
  { label: "Watches only", scopes: ["jobs:read"] },
];

/** Scopes that may touch what others made, or more than a team. */
export function isFarReaching(scope: Scope): boolean {
  return scope === "admin" || scope === "tokens:write" || scope === "agents:write";
}
