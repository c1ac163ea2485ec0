//! What a source's headers say: ffprobe's JSON, and which of the streams are the ones to encode.

use std::collections::BTreeMap;

use offpeak_api::{
    facts::{AudioFacts, VideoFacts},
    media::Ratio,
};
use serde::Deserialize;

use super::packets::VideoTimes;

/// Asked for by `-show_entries`: what [`Headers`] reads and nothing more, so that tags cannot make it long.
pub const ENTRIES: &str = "stream=index,codec_type,codec_name,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,\
                           field_order,color_transfer,time_base,start_time,duration,nb_frames,sample_rate,channels:\
                           stream_disposition=default,attached_pic,still_image,timed_thumbnails:\
                           stream_tags=language,enc_key_id:stream_side_data=rotation:format=format_name,start_time,duration";

#[derive(Debug, Default, Deserialize)]
pub struct Headers {
    #[serde(default)]
    pub streams: Vec<Stream>,
    #[serde(default)]
    pub format: Format,
}

#[derive(Debug, Default, Deserialize)]
pub struct Format {
    pub format_name: Option<String>,
    pub start_time: Option<String>,
    pub duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Stream {
    pub index: u32,
    pub codec_type: Option<String>,
    pub codec_name: Option<String>,
    pub codec_tag_string: Option<String>,
    #[serde(default)]
    pub width: u32,
    #[serde(default)]
    pub height: u32,
    pub pix_fmt: Option<String>,
    pub sample_aspect_ratio: Option<String>,
    pub field_order: Option<String>,
    pub color_transfer: Option<String>,
    pub time_base: Option<String>,
    pub start_time: Option<String>,
    pub duration: Option<String>,
    pub nb_frames: Option<String>,
    pub sample_rate: Option<String>,
    #[serde(default)]
    pub channels: u32,
    #[serde(default)]
    pub disposition: BTreeMap<String, i32>,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    #[serde(default)]
    pub side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
pub struct SideData {
    /// Degrees, counterclockwise.
    pub rotation: Option<f64>,
}

/// A number that ffprobe prints as text, `N/A` when it has none.
pub fn number(text: Option<&String>) -> Option<f64> {
    text?.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Stream {
    fn is(&self, disposition: &str) -> bool {
        self.disposition.get(disposition).is_some_and(|set| *set != 0)
    }

    fn known_codec(&self) -> Option<&str> {
        self.codec_name.as_deref().filter(|name| !matches!(*name, "unknown" | "none"))
    }

    fn has_type(&self, codec_type: &str) -> bool {
        self.codec_type.as_deref() == Some(codec_type)
    }

    /// A stream of moving pictures that can be decoded.
    fn is_film(&self) -> bool {
        let still = self.is("attached_pic") || self.is("still_image") || self.is("timed_thumbnails");
        self.has_type("video") && !still && self.known_codec().is_some() && self.width > 0 && self.height > 0
    }

    fn is_sound(&self) -> bool {
        self.has_type("audio") && self.known_codec().is_some() && self.channels > 0 && self.sample_rate() > 0
    }

    pub fn sample_rate(&self) -> u32 {
        self.sample_rate.as_ref().and_then(|rate| rate.parse().ok()).unwrap_or(0)
    }

    /// Seconds of one tick of the stream's times.
    pub fn tick_seconds(&self) -> f64 {
        let ratio = self.time_base.as_deref().and_then(|text| ratio(text, '/'));
        ratio.map_or(1e-6, Ratio::as_f64)
    }

    /// Marked as encrypted by the container.
    pub fn is_locked(&self) -> bool {
        let tag = self.codec_tag_string.as_deref().unwrap_or_default();
        matches!(tag, "encv" | "enca" | "drmi" | "drms") || self.tags.contains_key("enc_key_id")
    }

    /// When the stream ends if its header is right.
    pub fn promised_end_seconds(&self) -> Option<f64> {
        Some(number(self.start_time.as_ref()).unwrap_or(0.0) + number(self.duration.as_ref())?)
    }

    /// Whether lines alternate between two moments; `None` when the header leaves it open.
    pub fn interlaced(&self) -> Option<bool> {
        match self.field_order.as_deref() {
            Some("tt" | "bb" | "tb" | "bt") => Some(true),
            Some("progressive") => Some(false),
            Some(_) | None => None,
        }
    }

    /// Clockwise turn in quarters of a circle.
    fn rotation(&self) -> u32 {
        let counterclockwise = self.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
        let quarters = (-counterclockwise / 90.0).round().rem_euclid(4.0);
        if quarters.is_finite() { quarters as u32 * 90 } else { 0 }
    }

    pub fn video_facts(&self, times: VideoTimes, interlaced: bool) -> VideoFacts {
        let transfer = self.color_transfer.clone();
        VideoFacts {
            stream: self.index,
            codec: self.codec_name.clone().unwrap_or_default(),
            pixel_format: self.pix_fmt.clone().unwrap_or_default(),
            width: self.width,
            height: self.height,
            rotation: self.rotation(),
            sample_aspect: self.sample_aspect_ratio.as_deref().and_then(|text| ratio(text, ':')).unwrap_or(Ratio::new(1, 1)),
            interlaced,
            transfer: transfer.filter(|name| !matches!(name.as_str(), "unknown" | "reserved" | "unspecified")),
            start_seconds: times.start_seconds,
            end_seconds: times.end_seconds,
            frames: times.frames,
            gaps: times.gaps,
            keyframes_seconds: times.keyframes_seconds,
            open_gop: times.open_gop,
        }
    }

    pub fn audio_facts(&self, start_seconds: f64, end_seconds: f64) -> AudioFacts {
        AudioFacts {
            stream: self.index,
            codec: self.codec_name.clone().unwrap_or_default(),
            channels: self.channels,
            sample_rate: self.sample_rate(),
            start_seconds,
            end_seconds,
            language: self.tags.get("language").filter(|tag| !tag.is_empty() && *tag != "und").cloned(),
        }
    }
}

/// `16:9` or `1/90000`; `None` when a part is missing or 0.
fn ratio(text: &str, separator: char) -> Option<Ratio> {
    let (num, den) = text.split_once(separator)?;
    let (num, den) = (num.parse().ok()?, den.parse().ok()?);
    (num > 0 && den > 0).then(|| Ratio::new(num, den))
}

impl Headers {
    /// The first stream of moving pictures; one that admits to hold a single picture only if there is no other.
    pub fn video(&self) -> Option<&Stream> {
        let films = || self.streams.iter().filter(|stream| stream.is_film());
        films().find(|stream| stream.nb_frames.as_deref() != Some("1")).or_else(|| films().next())
    }

    /// The default track, else the first.
    pub fn audio(&self) -> Option<&Stream> {
        let sounds = || self.streams.iter().filter(|stream| stream.is_sound());
        sounds().find(|stream| stream.is("default")).or_else(|| sounds().next())
    }

    /// Whether nothing but pictures that do not move was found.
    pub fn only_stills(&self) -> bool {
        let mut pictures = self.streams.iter().filter(|stream| stream.has_type("video")).peekable();
        pictures.peek().is_some() && pictures.all(|stream| !stream.is_film() && stream.width > 0)
    }

    /// Seconds that the header promises for the whole file.
    pub fn promised_seconds(&self) -> Option<f64> {
        number(self.format.duration.as_ref())
    }

    /// When the chosen streams end if the headers are right.
    pub fn promised_end_seconds(&self) -> Option<f64> {
        let streams = [self.video(), self.audio()].into_iter().flatten();
        let of_streams = streams.filter_map(Stream::promised_end_seconds).reduce(f64::max);
        of_streams.or_else(|| Some(number(self.format.start_time.as_ref()).unwrap_or(0.0) + self.promised_seconds()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_and_aspects_are_normalised() {
        for (counterclockwise, expected) in
            [(0.0, 0), (-90.0, 90), (90.0, 270), (180.0, 180), (-180.0, 180), (-89.6, 90), (270.0, 90)]
        {
            let stream = Stream { side_data_list: vec![SideData { rotation: Some(counterclockwise) }], ..Stream::default() };
            assert_eq!(stream.rotation(), expected, "{counterclockwise}");
        }
        for (text, expected) in [("16:15", Some((16, 15))), ("0:1", None), ("N/A", None), ("1:0", None), ("-1:1", None)] {
            assert_eq!(ratio(text, ':').map(|ratio| (ratio.num, ratio.den)), expected, "{text}");
        }
    }

    #[test]
    fn the_right_streams_are_chosen() {
        let headers: Headers = serde_json::from_str(
            r#"{"streams": [
                {"index": 0, "codec_type": "video", "codec_name": "mjpeg", "width": 9, "height": 9, "disposition": {"attached_pic": 1}},
                {"index": 1, "codec_type": "audio", "codec_name": "unknown", "channels": 2, "sample_rate": "48000"},
                {"index": 2, "codec_type": "audio", "codec_name": "aac", "channels": 2, "sample_rate": "48000"},
                {"index": 3, "codec_type": "video", "codec_name": "png", "width": 9, "height": 9, "nb_frames": "1"},
                {"index": 4, "codec_type": "video", "codec_name": "h264", "width": 9, "height": 9, "nb_frames": "50"},
                {"index": 5, "codec_type": "audio", "codec_name": "ac3", "channels": 6, "sample_rate": "48000", "disposition": {"default": 1}}
            ], "format": {"duration": "N/A"}}"#,
        )
        .expect("JSON");
        assert_eq!(headers.video().map(|stream| stream.index), Some(4));
        assert_eq!(headers.audio().map(|stream| stream.index), Some(5));
        assert_eq!(headers.promised_end_seconds(), None);
        assert!(!headers.only_stills());
    }
}
