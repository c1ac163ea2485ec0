//! Holds a finished job against the reference: pictures by hash, sound by likeness.

use std::path::Path;

use offpeak_api::job::Job;

use crate::{
    frames::Frames,
    reference,
    sound::{RATE, Recording},
    sources::{Recipe, Sound},
    stream::{Stream, Track},
    system::System,
};

/// Noise that went through AAC at 128 kbit/s is like itself to about 0.95; other noise to less than 0.1.
const SAME_SOUND: f32 = 0.7;
const LARGEST_OFFSET_MILLISECONDS: f64 = 1.0;
const AAC_FRAME_SAMPLES: usize = 1024;

/// What is wrong with a finished job, as far as the reference tells.
pub async fn differences(system: &System, recipe: &Recipe, source: &Path, job: &Job) -> Vec<String> {
    let mut wrong = Vec::new();
    let start = reference::presentation_start(source).await;
    let told = job.facts.as_ref().map_or(f64::NAN, |facts| facts.start_seconds());
    if (told - start).abs() > 0.001 || told.is_nan() {
        wrong.push(format!("the presentation starts at {start} s of the source, and the facts say {told} s"));
    }
    let stream = Stream::fetch(&system.client, job).await;
    let sizes: Vec<(u32, u32)> = stream.variants.iter().filter_map(|(variant, _)| variant.resolution).collect();
    if sizes.len() != 2 || sizes.first() != Some(&recipe.size) {
        wrong.push(format!("the rungs are {sizes:?}, and the first should be {:?}", recipe.size));
        return wrong;
    }
    let expected = reference::pictures(source, start, recipe.rate, recipe.interlaced, &sizes).await;
    for ((variant, track), expected) in stream.variants.iter().zip(&expected) {
        let size = variant.resolution.unwrap_or_default();
        let told = variant.frame_rate.unwrap_or_default();
        if (told - recipe.rate.as_f64()).abs() > 0.001 {
            wrong.push(format!("FRAME-RATE is {told} and should be {}", recipe.rate));
        }
        let found = compare_pictures(system, recipe, track, expected, size).await;
        wrong.extend(found.into_iter().map(|what| format!("{}x{}: {what}", size.0, size.1)));
    }
    match (&stream.audio, recipe.sound) {
        (None, Sound::None) => {}
        (None, _) => wrong.push("the sound is missing".to_owned()),
        (Some(_), Sound::None) => wrong.push("there is sound, which the source has not".to_owned()),
        (Some(track), Sound::FromTheStart) => wrong.extend(compare_sound(system, source, start, track, 0.0).await),
        (Some(track), Sound::After { silent_seconds }) => {
            wrong.extend(compare_sound(system, source, start, track, silent_seconds).await);
        }
    }
    wrong
}

async fn compare_pictures(
    system: &System,
    recipe: &Recipe,
    track: &Track,
    expected: &Frames,
    (width, height): (u32, u32),
) -> Vec<String> {
    let mut wrong = Vec::new();
    if (expected.different() as f64) < expected.len() as f64 * recipe.different {
        wrong.push(format!("only {} of {} pictures differ: hashes prove little", expected.different(), expected.len()));
    }
    let frames = recipe.seconds * recipe.rate.as_f64();
    if (expected.len() as f64 - frames).abs() > 3.0 {
        wrong.push(format!("the reference has {} pictures and should have about {frames:.0}", expected.len()));
    }
    let joined = track.write_joined(&system.scratch(), &format!("{}.{width}x{height}.joined.mp4", recipe.file));
    let frames = Frames::of_file(&joined).await;
    let frames_per_segment = (recipe.segment_seconds * recipe.rate.as_f64()).round() as usize;
    wrong.extend(frames.difference(expected, frames_per_segment));
    wrong.extend(frames.first_off_grid(recipe.rate));
    wrong.extend(track.first_gap());
    wrong.extend(track.wrong_durations());
    let last = track.segments.len() - 1;
    for (index, fragments) in track.fragments().iter().enumerate() {
        let counts: Vec<usize> = fragments.iter().map(|fragment| fragment.samples as usize).collect();
        // Every segment is one GOP; the last is shorter, or has up to 7 frames more, in a GOP of their own.
        let count_fits = match &counts[..] {
            [count] => *count == frames_per_segment || (index == last && *count < frames_per_segment),
            [count, rest] => index == last && *count == frames_per_segment && (1..8).contains(rest),
            _ => false,
        };
        let closed = fragments.iter().all(|fragment| fragment.starts_with_sync && fragment.only_first_is_sync);
        if !count_fits || !closed {
            wrong.push(format!("segment {index} is no closed GOP of {frames_per_segment} frames: {fragments:?}"));
        }
    }
    wrong
}

async fn compare_sound(system: &System, source: &Path, start: f64, track: &Track, silent_seconds: f64) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = reference::sound(source, start).await;
    let name = source.file_name().and_then(|name| name.to_str()).expect("a plain name");
    let joined = track.write_joined(&system.scratch(), &format!("{name}.sound.joined.mp4"));
    let sound = Recording::of_file(&joined).await;
    wrong.extend(track.first_gap());
    wrong.extend(track.wrong_durations());
    if sound.len().abs_diff(expected.len()) > AAC_FRAME_SAMPLES {
        wrong.push(format!("the sound lasts {} s and should last {} s", sound.seconds(), expected.seconds()));
    }
    let end = sound.seconds().min(expected.seconds());
    for seconds in [silent_seconds + 0.05, (silent_seconds + end) / 2.0, end - 0.15] {
        let lag = sound.lag_behind(&expected, seconds);
        if lag.milliseconds().abs() > LARGEST_OFFSET_MILLISECONDS || lag.likeness < SAME_SOUND {
            wrong.push(format!(
                "at {seconds:.2} s the sound is {:.2} ms late, if it is the same (likeness {:.2})",
                lag.milliseconds(),
                lag.likeness
            ));
        }
    }
    // The encoder's window reaches back over one frame.
    let silent = silent_seconds - (2 * AAC_FRAME_SAMPLES) as f64 / RATE as f64;
    if silent > 0.0 && sound.loudness(0.0, silent) > 0.001 {
        wrong.push(format!("there is sound in the first {silent:.2} s, which are silent"));
    }
    wrong
}
