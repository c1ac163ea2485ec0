import { expect, test } from "vitest";
import { readMultivariant, readReadiness } from "./playlist";

const BASE = "https://farm.test/media/job_1/multivariant.m3u8";

test("a multivariant playlist tells where to look, how long it will be and what can be downloaded", () => {
  const text = [
    "#EXTM3U",
    '#EXT-X-SESSION-DATA:DATA-ID="offpeak.planned-seconds",VALUE="60.5"',
    '#EXT-X-SESSION-DATA:DATA-ID="offpeak.file.0",VALUE="ab12/film, final.mp4"',
    '#EXT-X-SESSION-DATA:DATA-ID="com.example.other",VALUE="7"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Sound",URI="aac-1.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS="avc1.64001e,mp4a.40.2",AUDIO="aac"',
    "h264-480p.m3u8",
    "#EXT-X-STREAM-INF:BANDWIDTH=400000",
    "h264-360p.m3u8",
  ].join("\n");
  expect(readMultivariant(text, BASE)).toEqual({
    mediaPlaylist: "https://farm.test/media/job_1/h264-480p.m3u8",
    plannedSeconds: 60.5,
    files: ["https://farm.test/media/job_1/ab12/film,%20final.mp4"],
  });
});

test("without those extras it is still a stream", () => {
  const text = "#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\naac-1.m3u8\r\n";
  expect(readMultivariant(text, BASE)).toEqual({
    mediaPlaylist: "https://farm.test/media/job_1/aac-1.m3u8",
    plannedSeconds: undefined,
    files: [],
  });
  expect(readMultivariant("#EXTM3U\n", BASE)).toBeUndefined();
});

test("a media playlist tells how much is ready and whether that is all", () => {
  const running = "#EXTM3U\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:6.006,\n0.m4s\n#EXTINF:5.5,\n1.m4s\n";
  expect(readReadiness(running)).toEqual({ readySeconds: 11.506, complete: false });
  expect(readReadiness(`${running}#EXT-X-ENDLIST\n`).complete).toBe(true);
});
