import type { Job, JobEvent } from "@offpeak/sdk";

/** How long a job's film plays, as far as the source tells. */
export function secondsOf(job: Pick<Job, "facts">): number | undefined {
  const stream = job.facts?.video ?? job.facts?.audio;
  return stream == null ? undefined : Math.max(0, stream.end_seconds - stream.start_seconds);
}

export interface Stage {
  name: string;
  seconds: number;
  /** It goes on. */
  running: boolean;
}

/** How long each stage took, or has taken until now. */
export function stages(job: Pick<Job, "created_at" | "started_at" | "ended_at" | "state">, events: readonly JobEvent[], now: number): Stage[] {
  const at = (kind: string) => {
    const event = events.findLast((event) => event.kind === kind);
    return event === undefined ? undefined : Date.parse(event.at);
  };
  const end = job.ended_at == null ? undefined : Date.parse(job.ended_at);
  const limits: [string, number | undefined][] = [
    ["Waiting", Date.parse(job.created_at)],
    ["Reading", job.started_at == null ? undefined : Date.parse(job.started_at)],
    ["Encoding", at("job.planned")],
    ["Files", at("job.encoded")],
  ];
  const begun = limits.filter((limit): limit is [string, number] => limit[1] !== undefined);
  return begun.map(([name, from], index) => {
    const to = begun[index + 1]?.[1] ?? end;
    return { name, seconds: Math.max(0, ((to ?? now) - from) / 1000), running: to === undefined };
  });
}

/** Frames a second, as people say them. */
export function frameRate(gaps: { usual_seconds: number; p90_rate: number; share_usual: number }): string {
  const rate = gaps.usual_seconds > 0 ? 1 / gaps.usual_seconds : gaps.p90_rate;
  return `${Number(rate.toFixed(2))} fps${gaps.share_usual < 0.95 ? ", variable" : ""}`;
}
