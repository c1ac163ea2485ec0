//! What one uncut run of ffmpeg makes of a source: the truth that encoding in spans is held against.
//!
//! The filters are written down here a second time, from the design and not from the engine, so that both must agree.

use std::path::Path;

use offpeak_api::media::Ratio;

use crate::{
    frames::Frames,
    programs::{run_ffmpeg, run_ffprobe},
    sound::Recording,
};

/// T0: the earliest start of the first video and the first audio stream, in seconds, as ffprobe tells it.
pub async fn presentation_start(source: &Path) -> f64 {
    let (folder, name) = place(source);
    let words = format!("-show_entries stream=codec_type,start_time -of csv=p=0 {name}");
    let ran = run_ffprobe(folder, &words).await;
    let start_of = |kind: &str| {
        let line = ran.text().lines().find(|line| line.starts_with(kind))?;
        line.split(',').nth(1)?.parse::<f64>().ok()
    };
    let starts = [start_of("video"), start_of("audio")];
    starts.into_iter().flatten().reduce(f64::min).expect("a source has a stream")
}

/// The pictures of the whole source on the frame grid, at each of these sizes.
pub async fn pictures(source: &Path, start_seconds: f64, rate: Ratio, interlaced: bool, sizes: &[(u32, u32)]) -> Vec<Frames> {
    let (folder, name) = place(source);
    let deinterlace = if interlaced { "bwdif=mode=send_frame:deint=interlaced," } else { "" };
    let outputs: Vec<String> = (0..sizes.len()).map(|i| format!("[s{i}]")).collect();
    let mut graph = format!(
        "[0:v:0]{deinterlace}setpts=PTS-{start_seconds}/TB,fps={rate}:start_time=0,split={}{}",
        sizes.len(),
        outputs.concat()
    );
    let mut words = format!("-copyts -i {name} -filter_complex ");
    let mut maps = String::new();
    for (i, (width, height)) in sizes.iter().enumerate() {
        graph += &format!(";[s{i}]scale={width}:{height},setsar=1,format=yuv420p[o{i}]");
        maps += &format!(" -map [o{i}] -f framemd5 {name}.{i}.framemd5");
    }
    words += &graph;
    words += &maps;
    run_ffmpeg(folder, &words).await;
    let read = |i: usize| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.{i}.framemd5"))).expect("ffmpeg wrote it");
        Frames::parse(&text)
    };
    (0..sizes.len()).map(read).collect()
}

/// The sound of the whole source from the start of the presentation, holes and a late start filled with silence.
pub async fn sound(source: &Path, start_seconds: f64) -> Recording {
    let (folder, name) = place(source);
    let words = format!(
        "-copyts -i {name} -map 0:a:0 -af asetpts=PTS-{start_seconds}/TB,aresample=48000:async=1:first_pts=0 -ac 1 -f s16le -"
    );
    Recording::from_s16le(&run_ffmpeg(folder, &words).await.stdout)
}

fn place(source: &Path) -> (&Path, &str) {
    let name = source.file_name().and_then(|name| name.to_str()).expect("a plain name");
    (source.parent().expect("a source lies in a folder"), name)
}
