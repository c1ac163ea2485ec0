//! HLS (RFC 8216), written with `hls_m3u8`. Its parser is not used.

use std::time::Duration;

use hls_m3u8::{
    MasterPlaylist, MediaPlaylist, MediaSegment,
    tags::{ExtInf, ExtXMap, ExtXMedia, VariantStream},
    types::{Channels, MediaType, PlaylistType, StreamData, UFloat},
};

use super::{
    PackageError, PackagedKind, PackagedRendition, Presentation,
    bitrate::{BitRates, bit_rates},
    published_prefix,
};

/// The rendition group (in HLS's sense) of the sound.
const AUDIO_GROUP: &str = "audio";

/// The multivariant playlist: a variant stream for each rung, all with the same sound; or the sound alone.
///
/// # Errors
/// [`PackageError::Hls`] if the writer refuses, which would be a mistake of ours.
pub fn multivariant(presentation: &Presentation) -> Result<String, PackageError> {
    let all_complete = presentation.is_complete();
    let rates = |rendition| bit_rates(rendition, all_complete, presentation.target_duration_seconds());
    // Sound that turned out to be empty is not announced.
    let is_empty = |made: &PackagedRendition| all_complete && made.segments.is_empty();
    let audio = presentation.renditions.iter().find(|made| !made.is_video() && !is_empty(made));
    let sound = audio.map(|audio| Sound { codecs: &audio.codecs, rates: rates(audio) });

    let mut media = Vec::new();
    let mut variants = Vec::new();
    for rendition in &presentation.renditions {
        if let PackagedKind::Video { width, height, rate } = rendition.kind {
            let stream_data = stream_data(rendition, rates(rendition), sound.as_ref(), Some((width as usize, height as usize)))?;
            variants.push(VariantStream::ExtXStreamInf {
                uri: playlist_uri(presentation, rendition).into(),
                frame_rate: Some(UFloat::new(rate.as_f64() as f32)),
                audio: sound.as_ref().map(|_| AUDIO_GROUP.into()),
                subtitles: None,
                closed_captions: None,
                stream_data,
            });
        }
    }
    match audio {
        Some(audio) if variants.is_empty() => variants.push(VariantStream::ExtXStreamInf {
            uri: playlist_uri(presentation, audio).into(),
            frame_rate: None,
            audio: None,
            subtitles: None,
            closed_captions: None,
            stream_data: stream_data(audio, rates(audio), None, None)?,
        }),
        Some(audio) => media.push(audio_media(presentation, audio)?),
        None => {}
    }
    let playlist = MasterPlaylist::builder().has_independent_segments(true).media(media).variant_streams(variants).build()?;
    Ok(format!("{playlist}{}", presentation.notes))
}

struct Sound<'a> {
    codecs: &'a str,
    rates: BitRates,
}

fn stream_data<'a>(
    rendition: &'a PackagedRendition,
    rates: BitRates,
    sound: Option<&Sound<'a>>,
    size: Option<(usize, usize)>,
) -> Result<StreamData<'a>, PackageError> {
    let mut codecs = vec![rendition.codecs.as_str()];
    codecs.extend(sound.map(|sound| sound.codecs));
    let sound_rates = sound.map_or(BitRates { peak: 0, average: Some(0) }, |sound| sound.rates);
    let mut data = StreamData::builder();
    data.bandwidth(rates.peak + sound_rates.peak).codecs(codecs);
    if let (Some(average), Some(sound_average)) = (rates.average, sound_rates.average) {
        data.average_bandwidth(average + sound_average);
    }
    if let Some(size) = size {
        data.resolution(size);
    }
    Ok(data.build()?)
}

fn audio_media<'a>(presentation: &Presentation, audio: &'a PackagedRendition) -> Result<ExtXMedia<'a>, PackageError> {
    let mut media = ExtXMedia::builder();
    media
        .media_type(MediaType::Audio)
        .group_id(AUDIO_GROUP)
        .name("Main")
        .is_default(true)
        .is_autoselect(true)
        .uri(playlist_uri(presentation, audio));
    if let PackagedKind::Audio { channels } = audio.kind {
        media.channels(Channels::new(u64::from(channels)));
    }
    Ok(media.build()?)
}

/// The media playlist of one rendition: `EVENT` while segments are to come, `VOD` with `ENDLIST` once all are there.
///
/// # Errors
/// [`PackageError::NoSuchRendition`]; [`PackageError::Hls`] if the writer refuses, which would be a mistake of ours.
pub fn media_playlist(presentation: &Presentation, rendition_id: &str) -> Result<String, PackageError> {
    let rendition = presentation.renditions.iter().find(|made| made.id == rendition_id);
    let rendition = rendition.ok_or_else(|| PackageError::NoSuchRendition(rendition_id.to_owned()))?;
    let is_complete = presentation.is_complete();

    let mut segments = Vec::new();
    let mut start = 0;
    for segment in rendition.published(published_prefix(presentation)) {
        // Not the time after the edit list, which for sound is 21 ms earlier: Shaka Player places each segment of an HLS
        // stream by the sum of the durations before it, taken for its `tfdt`.
        let end = tidy_end(start, rendition.microseconds(segment.start_ticks + segment.duration_ticks));
        let length = Duration::from_micros(end.saturating_sub(start));
        start = end;
        let mut written = MediaSegment::builder();
        written.duration(ExtInf::new(length)).uri(segment.uri.as_str());
        if segments.is_empty() {
            written.map(ExtXMap::new(rendition.init_uri.as_str()));
        }
        segments.push(written.build()?);
    }
    let target = Duration::from_secs(u64::from(presentation.target_duration_seconds()));
    let playlist = MediaPlaylist::builder()
        .target_duration(target)
        // A segment that is too long is a fault, but a playlist that cannot be had is a worse one.
        .allowable_excess_duration(target)
        .playlist_type(if is_complete { PlaylistType::Vod } else { PlaylistType::Event })
        .has_independent_segments(true)
        .has_end_list(is_complete)
        .segments(segments)
        .build()?;
    Ok(playlist.to_string())
}

/// The end of a segment, in microseconds, near `end`, so that the length from `start` is written with at most six decimals.
///
/// `hls_m3u8` writes a duration as the sum of two binary fractions, which for about one in ten comes out as
/// 5.7386669999999995 for 5.738667. One of the neighbouring microseconds is always free of that. The next segment goes on
/// from what was written, so nothing adds up.
fn tidy_end(start: u64, end: u64) -> u64 {
    let is_tidy = |end: &u64| {
        let length = end.saturating_sub(start);
        Duration::from_micros(length).as_secs_f64() == length as f64 / 1e6
    };
    (0..10).flat_map(|off| [end + off, end.saturating_sub(off)]).find(is_tidy).unwrap_or(end)
}

fn playlist_uri(presentation: &Presentation, rendition: &PackagedRendition) -> String {
    format!("{}.m3u8{}", rendition.id, presentation.query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_with_six_decimals_at_most() {
        let mut start = 0;
        for index in 1..100_000_u64 {
            let end = index * 5_738_667 + index % 977;
            let tidy = tidy_end(start, end);
            assert!(tidy.abs_diff(end) < 10, "{end}: {tidy}");
            let text = ExtInf::new(Duration::from_micros(tidy - start)).to_string();
            assert!(text.split_once('.').is_none_or(|(_, digits)| digits.len() <= 7), "{text}");
            start = tidy;
        }
    }
}
