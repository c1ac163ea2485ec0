//! Spans joined are the unsplit run, whatever the source is made of.

use offpeak_api::media::Ratio;

use super::{Clip, MP4, lossless, segments};
use crate::testing::{self, ffmpeg_in};

#[tokio::test]
async fn spans_of_an_open_gop_mp4_are_exact_and_the_tail_joins_the_last_segment() {
    let clip = Clip::h264("-g 48 -bf 3 -x264-params open-gop=1", "a.mp4", MP4, 0.0);
    let pieces = clip.assert_exact("open GOP MP4", 1).await;
    for name in ["h264-180p", "h264-90p"] {
        assert_eq!(segments(&pieces, name), [(0, 50), (1, 50), (2, 50), (3, 50), (4, 53)]);
    }
}

#[tokio::test]
async fn spans_of_a_transport_stream_are_exact() {
    let clip = Clip::h264("-g 40 -bf 2 -x264-params open-gop=1 -output_ts_offset 1000", "a.ts", "mpegts", 1001.4);
    assert_eq!(clip.keyframes().first(), Some(&1001.4));
    clip.assert_exact("transport stream", 1).await;
}

#[tokio::test]
async fn spans_of_one_gop_in_matroska_are_exact() {
    let clip = Clip::h264("-g 1000 -bf 3", "a.mkv", "matroska,webm", 0.0);
    clip.assert_exact("one GOP in Matroska", 0).await;
}

#[tokio::test]
async fn spans_of_variable_frame_rate_are_exact() {
    let pick = "-vf select=gt(mod(n\\,7)\\,2)+lt(n\\,60) -fps_mode vfr -g 30 -bf 2";
    let clip = Clip::h264(pick, "a.mp4", MP4, 0.0);
    clip.assert_exact("variable frame rate", 0).await;
}

#[tokio::test]
async fn spans_of_late_video_are_exact() {
    let arguments = "-itsoffset 0.7 -f lavfi -i testsrc2=size=320x180:rate=30000/1001:duration=8 -f lavfi -i sine=duration=8.5 \
                     -map 0 -map 1 -pix_fmt yuv420p -c:v libx264 -preset veryfast -g 45 -bf 2 -c:a aac";
    let clip = Clip::make(arguments, "a.mkv", "matroska,webm", Ratio::new(30000, 1001), 0.0);
    let pieces = clip.assert_exact("late video", 0).await;
    // 0.7 s of the first picture, and 8 s of film.
    assert_eq!(clip.joined(&pieces, 0).len(), 261);
}

#[tokio::test]
async fn spans_of_interlaced_video_are_exact() {
    let arguments = "-f lavfi -i testsrc2=size=320x180:rate=50:duration=10 -vf interlace -pix_fmt yuv420p -c:v mpeg2video \
                     -flags +ilme+ildct -g 12 -bf 2 -b:v 2M";
    let mut clip = Clip::make(arguments, "a.mkv", "matroska,webm", Ratio::new(25, 1), 0.0);
    clip.work.filters.deinterlace = true;
    clip.assert_exact("interlaced", 2).await;
}

#[tokio::test]
async fn spans_around_a_hole_are_exact() {
    // Nothing between 3 s and 9 s, far beyond the bound for reading of the span up to 4 s.
    let clip = Clip::h264("-vf select=lt(t\\,3)+gt(t\\,9) -fps_mode vfr -g 30 -bf 2", "a.mkv", "matroska,webm", 0.0);
    clip.assert_exact("hole", 0).await;
}

#[tokio::test]
async fn spans_of_an_upright_film_are_exact_and_turned_once() {
    let mut clip = Clip::h264("-g 30 -bf 2", "a.mp4", MP4, 0.0);
    ffmpeg_in(clip.path(), "-display_rotation 90 -i clip -c copy turned.mp4");
    std::fs::rename(clip.path().join("turned.mp4"), clip.path().join("clip")).expect("the clip");
    clip.work.renditions = vec![lossless(180, 320), lossless(90, 160)];
    clip.assert_exact("upright", 0).await;
    let probed = std::process::Command::new(testing::tools().ffprobe)
        .args(["-v", "error", "-show_entries", "stream=width,height:stream_side_data=rotation", "-of", "csv=p=0", "film.mp4"])
        .current_dir(clip.path())
        .output()
        .expect("ffprobe runs");
    assert_eq!(String::from_utf8_lossy(&probed.stdout).trim(), "90,160", "upright, and no turn is left to do");
}

#[tokio::test]
async fn pictures_may_change_their_size_midway() {
    let clip = Clip::h264("-g 25 -bf 2 -frames:v 120", "a.ts", "mpegts", 1.4);
    ffmpeg_in(
        clip.path(),
        "-f lavfi -i testsrc2=size=640x360:rate=25:duration=5 -c:v libx264 -preset veryfast -g 25 -bf 2 -output_ts_offset 4.8 b.ts",
    );
    let both = [clip.path().join("clip"), clip.path().join("b.ts")].map(|part| std::fs::read(part).expect("a part")).concat();
    std::fs::write(clip.path().join("clip"), both).expect("the clip");
    let pieces = clip.assert_exact("two sizes", 1).await;
    assert_eq!(clip.joined(&pieces, 0).len(), 245);
}
