import type { Tone } from "../../components/status";
import type { Delivery, DeliveryState, Webhook, WebhookEvent } from "./api/webhooks";

/** What a webhook can be told of. `webhook.test` comes when somebody asks for it, whatever was chosen. */
export const EVENTS: { event: Exclude<WebhookEvent, "webhook.test">; about: string }[] = [
  { event: "job.playable", about: "a player can start" },
  { event: "job.completed", about: "everything is made" },
  { event: "job.failed", about: "it cannot be made" },
  { event: "job.cancelled", about: "somebody stopped it" },
  { event: "agent.enrolled", about: "a machine joined" },
  { event: "agent.quarantined", about: "a machine was set aside" },
];

export function webhookState({ enabled, failing_since: since }: Pick<Webhook, "enabled" | "failing_since">): { label: string; tone: Tone } {
  if (!enabled) return { label: "Disabled", tone: "rest" };
  return since == null ? { label: "Enabled", tone: "done" } : { label: "Failing", tone: "bad" };
}

export const DELIVERY_STATES: Record<DeliveryState, { label: string; tone: Tone }> = {
  waiting: { label: "On its way", tone: "work" },
  delivered: { label: "Delivered", tone: "done" },
  failed: { label: "Given up", tone: "bad" },
};

/** `1 try`, `3 tries`. */
export function tries({ attempts }: Pick<Delivery, "attempts">): string {
  return attempts === 0 ? "not tried yet" : attempts === 1 ? "1 try" : `${attempts} tries`;
}

/** The host, which is what people know a webhook by, and the rest of the address. */
export function hostOf(url: string): { host: string; rest: string } {
  try {
    const { host, pathname, search } = new URL(url);
    return { host, rest: pathname + search };
  } catch {
    return { host: url, rest: "" };
  }
}

/** HTTP's own words for what a receiver answered; the API has the number. */
export function answered(status: number | null | undefined): string {
  return status == null ? "no answer" : `answered ${status}`;
}
