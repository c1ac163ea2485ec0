import { compact, oneOf } from "../../lib/search";

export interface WebhookSearch {
  state?: "waiting" | "delivered" | "failed";
}

export function webhookSearch(raw: Record<string, unknown>): WebhookSearch {
  return compact({ state: oneOf(raw.state, ["waiting", "delivered", "failed"]) });
}
