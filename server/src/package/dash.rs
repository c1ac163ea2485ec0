//! The DASH manifest (ISO/IEC 23009-1) over the segments that HLS plays.
//!
//! Every lease writes under its own prefix, so no template can name the segments: they are listed one by one, with a
//! timeline of exact durations. Shaka Player and dash.js both play a `SegmentList` with a `SegmentTimeline`.
//! While a job runs the manifest is static as well and shows what is there: see `docs/decisions/timing-of-segments.md`.

use std::io;

use offpeak_api::work::AUDIO_SAMPLE_RATE;
use quick_xml::{
    Writer,
    events::{BytesDecl, Event},
};

use super::{PackageError, PackagedKind, PackagedRendition, Presentation, bitrate::bit_rates, published_prefix};

type Xml = Writer<Vec<u8>>;

const SCHEMA: &str = "urn:mpeg:dash:schema:mpd:2011";
/// The profile that allows segment lists.
const PROFILE: &str = "urn:mpeg:dash:profile:isoff-main:2011";
/// ISO/IEC 23003-3 channel configurations: 1 is mono, 2 is stereo.
const CHANNEL_SCHEME: &str = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";

/// The manifest of what is published.
///
/// # Errors
/// [`PackageError::Dash`] if the writer refuses, which would be a mistake of ours.
pub fn mpd(presentation: &Presentation) -> Result<String, PackageError> {
    let prefix = published_prefix(presentation);
    let end = presentation.renditions.iter().map(|made| made.end_microseconds(prefix)).max().unwrap_or(0);
    let duration = seconds_text(end);
    let buffer = seconds_text(u64::from(presentation.target_duration_seconds()) * 1_000_000);

    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("MPD")
        .with_attributes([
            ("xmlns", SCHEMA),
            ("profiles", PROFILE),
            ("type", "static"),
            ("mediaPresentationDuration", duration.as_str()),
            ("minBufferTime", buffer.as_str()),
        ])
        .write_inner_content(|xml| {
            xml.create_element("Period")
                .with_attributes([("id", "0"), ("start", "PT0S"), ("duration", duration.as_str())])
                .write_inner_content(|xml| {
                    for (id, content_type) in [("0", ContentType::Video), ("1", ContentType::Audio)] {
                        write_adaptation_set(xml, presentation, prefix, id, content_type)?;
                    }
                    Ok(())
                })?;
            Ok(())
        })?;
    let mut text = String::from_utf8(xml.into_inner()).map_err(io::Error::other)?;
    text.push('\n');
    Ok(text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentType {
    Video,
    Audio,
}

fn write_adaptation_set(
    xml: &mut Xml,
    presentation: &Presentation,
    prefix: u32,
    id: &str,
    content_type: ContentType,
) -> io::Result<()> {
    let belongs = |made: &&PackagedRendition| made.is_video() == (content_type == ContentType::Video);
    let renditions = presentation.renditions.iter().filter(belongs).filter(|made| !made.published(prefix).is_empty());
    let renditions: Vec<&PackagedRendition> = renditions.collect();
    if renditions.is_empty() {
        return Ok(());
    }
    let (content_type, mime_type) = match content_type {
        ContentType::Video => ("video", "video/mp4"),
        ContentType::Audio => ("audio", "audio/mp4"),
    };
    xml.create_element("AdaptationSet")
        .with_attributes([
            ("id", id),
            ("contentType", content_type),
            ("mimeType", mime_type),
            ("segmentAlignment", "true"),
            ("startWithSAP", "1"),
        ])
        .write_inner_content(|xml| {
            renditions.iter().try_for_each(|rendition| write_representation(xml, presentation, prefix, rendition))
        })?;
    Ok(())
}

fn write_representation(
    xml: &mut Xml,
    presentation: &Presentation,
    prefix: u32,
    rendition: &PackagedRendition,
) -> io::Result<()> {
    let rates = bit_rates(rendition, presentation.is_complete(), presentation.target_duration_seconds());
    let bandwidth = rates.peak.to_string();
    let element = xml.create_element("Representation").with_attributes([
        ("id", rendition.id.as_str()),
        ("bandwidth", bandwidth.as_str()),
        ("codecs", rendition.codecs.as_str()),
    ]);
    match rendition.kind {
        PackagedKind::Video { width, height, rate } => element
            .with_attributes([
                ("width", width.to_string().as_str()),
                ("height", height.to_string().as_str()),
                ("sar", "1:1"),
                ("frameRate", rate.to_string().as_str()),
            ])
            .write_inner_content(|xml| write_segments(xml, prefix, rendition))?,
        PackagedKind::Audio { channels } => {
            element.with_attribute(("audioSamplingRate", AUDIO_SAMPLE_RATE.to_string().as_str())).write_inner_content(|xml| {
                xml.create_element("AudioChannelConfiguration")
                    .with_attributes([("schemeIdUri", CHANNEL_SCHEME), ("value", channels.to_string().as_str())])
                    .write_empty()?;
                write_segments(xml, prefix, rendition)
            })?
        }
    };
    Ok(())
}

fn write_segments(xml: &mut Xml, prefix: u32, rendition: &PackagedRendition) -> io::Result<()> {
    let segments = rendition.published(prefix);
    xml.create_element("SegmentList")
        .with_attribute(("timescale", rendition.timescale.to_string().as_str()))
        .write_inner_content(|xml| {
            xml.create_element("Initialization").with_attribute(("sourceURL", rendition.init_uri.as_str())).write_empty()?;
            xml.create_element("SegmentTimeline").write_inner_content(|xml| {
                // Each segment with its own time, none repeated: readable, and beyond doubt for every player.
                segments.iter().map(|segment| rendition.shown(segment)).try_for_each(|shown| {
                    let (start, duration) = (shown.start_ticks.to_string(), shown.duration_ticks.to_string());
                    xml.create_element("S")
                        .with_attributes([("t", start.as_str()), ("d", duration.as_str())])
                        .write_empty()
                        .map(drop)
                })
            })?;
            segments.iter().try_for_each(|segment| {
                xml.create_element("SegmentURL").with_attribute(("media", segment.uri.as_str())).write_empty().map(drop)
            })
        })?;
    Ok(())
}

/// An `xs:duration` in seconds, with no more digits than needed.
fn seconds_text(microseconds: u64) -> String {
    let text = format!("{}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000);
    format!("PT{}S", text.trim_end_matches('0').trim_end_matches('.'))
}
