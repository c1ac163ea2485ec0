import type { Job } from "@offpeak/sdk";
import { useQuery } from "@tanstack/react-query";
import { Facts } from "../../../components/facts";
import { RelativeTime } from "../../../components/relative-time";
import { byteSize, clockTime } from "../../../lib/format";
import { sourceQuery } from "../api/job";
import { frameRate, secondsOf } from "../film";

/** What is known about the file that was sent. */
export function AboutSource({ job }: { job: Job }) {
  const source = useQuery(sourceQuery(job.source)).data;
  const { facts } = job;
  const { video, audio } = facts ?? {};
  const seconds = secondsOf(job);
  return (
    <Facts
      items={[
        ["File", job.source_name],
        ["Size", facts == null ? (source?.bytes == null ? undefined : byteSize(source.bytes)) : byteSize(facts.bytes)],
        ["Container", facts?.container.split(",")[0]],
        ["Length", seconds === undefined ? undefined : clockTime(seconds)],
        [
          "Pictures",
          video == null
            ? facts == null
              ? undefined
              : "None"
            : [
                `${video.width} × ${video.height}`,
                video.codec,
                frameRate(video.gaps),
                video.pixel_format,
                video.interlaced ? "interlaced" : "",
                video.rotation === 0 ? "" : `turned by ${video.rotation}°`,
              ]
                .filter(Boolean)
                .join(" · "),
        ],
        ["Frames", video?.frames.toLocaleString("en")],
        [
          "Sound",
          audio == null
            ? facts == null
              ? undefined
              : "None"
            : [audio.codec, `${audio.sample_rate / 1000} kHz`, channels(audio.channels), audio.language ?? ""].filter(Boolean).join(" · "),
        ],
        ["Kept", source === undefined ? undefined : source.state === "deleted" ? "The bytes are gone; what was made of them stays." : <>until <RelativeTime at={source.expires_at} /></>],
        ...Object.entries(job.metadata).map(([name, value]) => [name, value] as const),
      ]}
    />
  );
}

function channels(count: number): string {
  return count === 1 ? "mono" : count === 2 ? "stereo" : `${count} channels`;
}
