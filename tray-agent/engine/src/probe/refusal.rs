//! Sources that cannot be encoded: which kind of wrong they are, and what a person can do about it.

use offpeak_api::work::SourceLimits;

use super::headers::Headers;
use crate::{
    ffmpeg::{LogTail, MOST_STREAMS},
    task::TaskError,
};

/// Files that promise more than this many seconds …
const SUSPICIOUS_SECONDS: f64 = 600.0;
/// … must have this many bytes for each of them. A still screen recorded once a second takes 40 to 60 bytes a frame in MP4,
/// speech at the lowest rates 500 a second; 300 kB that promise ten hours have 8.
const PLAUSIBLE_BYTES_PER_SECOND: f64 = 16.0;

/// A playlist or script at the start of a file: it names other files, which were not uploaded.
const SCRIPTS: [&str; 7] = ["#extm3u", "<?xml", "<mpd", "ffconcat", "v=0", "[playlist]", "webvtt"];
/// Demuxers that read pictures, besides all whose name ends in `_pipe`.
const PICTURES: [&str; 8] = ["image2", "gif", "apng", "ico", "jpegxl_anim", "alias_pix", "fits", "svg"];
/// Demuxers that take any text for theirs.
const TEXT: [&str; 6] = ["tty", "bin", "xbin", "adf", "idf", "data"];

pub fn empty() -> TaskError {
    TaskError::source("empty_source", "The file is empty (0 bytes). Upload it again, and check that the original plays.")
}

pub fn not_media(what: &str) -> TaskError {
    TaskError::source("not_media", format!("{what}. Upload a video or audio file, such as MP4, MOV, MKV, WebM or MPEG-TS."))
}

pub fn still_image() -> TaskError {
    TaskError::source("still_image", "The file holds a single picture, not a film. Upload a video or audio file.")
}

pub fn encrypted() -> TaskError {
    TaskError::source("encrypted", "The file is encrypted (DRM) and cannot be read. Upload a copy without copy protection.")
}

pub fn no_streams() -> TaskError {
    let message =
        "The file holds neither pictures nor sound that can be read. Check that the original plays, and export it again.";
    TaskError::source("no_streams", message)
}

pub fn too_many_streams() -> TaskError {
    let message = format!(
        "The file holds more than {MOST_STREAMS} streams; a film has a few. Export it with nothing but the pictures and the sound \
         that are needed."
    );
    TaskError::source("too_many_streams", message)
}

/// Streams beyond the limit are left out by some demuxers, and make others give up.
fn has_too_many_streams(log: &LogTail) -> bool {
    log.mentions(&["exceeds max_streams"])
}

pub fn too_many_pixels(width: u64, height: u64, limits: &SourceLimits) -> TaskError {
    let message = format!(
        "The picture is {width}×{height}; at most {} million pixels are allowed. Export it in a smaller size.",
        limits.max_pixels / 1_000_000
    );
    TaskError::source("too_many_pixels", message)
}

pub fn too_long(seconds: f64, limits: &SourceLimits) -> TaskError {
    let hours = |seconds: f64| seconds / 3600.0;
    let message = format!(
        "The film is longer than allowed: {:.1} hours or more, at most {:.1}. Cut it into parts.",
        hours(seconds),
        hours(limits.max_seconds)
    );
    TaskError::source("too_long", message)
}

pub fn unsupported(kind: &str) -> TaskError {
    let message = format!(
        "The file is {kind}, which is not read as a source. Upload the film itself, as one file such as MP4, MOV, MKV, WebM or \
         MPEG-TS."
    );
    TaskError::source("unsupported_format", message)
}

pub fn no_index() -> TaskError {
    let message = "The MP4 file has no index (`moov`): it was cut off, or its recording was never finished. Upload it again from \
                   the original; if that does not play either, a repair program may rebuild the index.";
    TaskError::source("no_index", message)
}

/// Refuses a length that the file's size makes unbelievable: encoding it would take hours to make nothing.
pub fn check_plausible(seconds: f64, bytes: u64) -> Result<(), TaskError> {
    if seconds > SUSPICIOUS_SECONDS && (bytes as f64) < seconds * PLAUSIBLE_BYTES_PER_SECOND {
        let message = format!(
            "The file says that it lasts {:.1} hours, but has only {bytes} bytes. It is damaged: export it again.",
            seconds / 3600.0
        );
        return Err(TaskError::source("implausible_duration", message));
    }
    Ok(())
}

/// Refuses what the headers alone give away.
pub fn check_headers(headers: &Headers, bytes: u64, limits: &SourceLimits) -> Result<(), TaskError> {
    let chosen = [headers.video(), headers.audio()];
    if chosen.iter().flatten().any(|stream| stream.is_locked()) {
        return Err(encrypted());
    }
    if let Some(video) = headers.video() {
        let (width, height) = (u64::from(video.width), u64::from(video.height));
        if width * height > limits.max_pixels {
            return Err(too_many_pixels(width, height, limits));
        }
    }
    headers.promised_seconds().map_or(Ok(()), |seconds| check_plausible(seconds, bytes))
}

/// Refuses a size that the decoder would not take although the container opened.
pub fn check_log(log: &LogTail, limits: &SourceLimits) -> Result<(), TaskError> {
    let oversize = log.lines().iter().find_map(|line| oversize(line));
    oversize.map_or(Ok(()), |(width, height)| Err(too_many_pixels(width, height, limits).with_log(log.lines())))
}

/// Why a file that opened holds nothing to encode.
pub fn nothing_to_encode(headers: &Headers, log: &LogTail, limits: &SourceLimits) -> TaskError {
    // Here a size cannot be a cover's: there is nothing that it would be the cover of.
    let oversize = log.lines().iter().find_map(|line| line.split_once("Picture size ").and_then(|(_, rest)| refused_size(rest)));
    let refusal = match oversize {
        Some((width, height)) => too_many_pixels(width, height, limits),
        None if has_too_many_streams(log) => too_many_streams(),
        None if headers.only_stills() => still_image(),
        None => no_streams(),
    };
    refusal.with_log(log.lines())
}

/// Why ffprobe could not open the file, by its log and by the file's first bytes.
pub fn unopened(log: &LogTail, head: &[u8], limits: &SourceLimits) -> TaskError {
    let lines = log.lines();
    let refusal = if log.mentions(&["moov atom not found"]) {
        no_index()
    } else if let Err(oversize) = check_log(log, limits) {
        oversize
    } else if has_too_many_streams(log) {
        too_many_streams()
    } else if is_scrambled_ts(head) {
        encrypted()
    } else if let Some(codec) = lines.iter().find_map(|line| refused_codec(line)) {
        unsupported(&format!("in the codec `{codec}`"))
    } else {
        match lines.iter().find_map(|line| refused_format(line)) {
            Some(format) if PICTURES.contains(&format) || format.ends_with("_pipe") => still_image(),
            Some(format) if !TEXT.contains(&format) => unsupported(&format!("of the kind `{format}`")),
            Some(_) | None => by_head(head),
        }
    };
    refusal.with_log(lines)
}

fn by_head(head: &[u8]) -> TaskError {
    let text = text_start(head);
    let start = text.as_deref().unwrap_or_default().trim_start().to_lowercase();
    if SCRIPTS.iter().any(|script| start.starts_with(script)) {
        unsupported("a playlist or script that points to other files")
    } else if text.is_some() {
        not_media("The file is text, not video or sound")
    } else {
        not_media("The file is not video or sound in any format that is known here, or its beginning is damaged")
    }
}

/// The beginning of a text file; `None` for anything else.
fn text_start(head: &[u8]) -> Option<String> {
    let head = &head[..head.len().min(4096)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut may have gone through a character.
        Err(error) if head.len() - error.valid_up_to() < 4 => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    (!text.is_empty() && text.trim_start_matches('\u{feff}').chars().all(is_text))
        .then(|| text.trim_start_matches('\u{feff}').to_owned())
}

/// The codec's name in `[snow @ 0x55…] Codec (snow) not on whitelist '…'`.
fn refused_codec(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Codec (")?;
    rest.split_once(") not on whitelist").map(|(codec, _)| codec)
}

/// The demuxer's name in `[gif @ 0x55…] Format not on whitelist '…'`.
fn refused_format(line: &str) -> Option<&str> {
    line.contains("Format not on whitelist").then_some(())?;
    line.strip_prefix('[')?.split([' ', ',']).next()
}

/// The size in `Picture size 16384x16384 is invalid` and `… exceeds specified max pixel count …`. A cover may be of any size:
/// it is not decoded.
fn oversize(line: &str) -> Option<(u64, u64)> {
    if ["[png", "[mjpeg", "[bmp", "[webp", "[tiff", "[gif"].iter().any(|cover| line.starts_with(cover)) {
        return None;
    }
    refused_size(line.split_once("Picture size ")?.1)
}

/// The size in what follows `Picture size `.
fn refused_size(text: &str) -> Option<(u64, u64)> {
    let (size, rest) = text.split_once(' ')?;
    (rest.starts_with("is invalid") || rest.starts_with("exceeds")).then_some(())?;
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?)).filter(|(width, height)| width * height > 0)
}

/// Whether most packets of a transport stream that carry pictures or sound are scrambled (ISO/IEC 13818-1 §2.4.3.3).
pub fn is_scrambled_ts(head: &[u8]) -> bool {
    const PACKET: usize = 188;
    let packets: Vec<&[u8]> = head.chunks_exact(PACKET).collect();
    if packets.len() < 5 || packets.iter().any(|packet| packet[0] != 0x47) {
        return false;
    }
    // PSI tables and padding are never scrambled: programs begin at PID 0x20.
    let pid = |packet: &[u8]| u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff;
    let payloads = packets.iter().filter(|packet| (0x20..0x1fff).contains(&pid(packet)) && packet[3] & 0x10 != 0);
    let (scrambled, clear): (Vec<&[u8]>, Vec<&[u8]>) = payloads.partition(|packet| packet[3] & 0xc0 != 0);
    scrambled.len() > clear.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_weighed_against_sizes() {
        // (seconds, bytes, believed)
        let cases = [
            (36_000.0, 300_000, false),
            (36_000.0, 2_000_000, true),
            (3600.0, 50_000, false),
            (3600.0, 180_000, true),
            // A slide show of few pictures, each shown for minutes.
            (600.0, 3_000, true),
            (10.0, 500, true),
        ];
        for (seconds, bytes, believed) in cases {
            assert_eq!(check_plausible(seconds, bytes).is_ok(), believed, "{seconds} s in {bytes} bytes");
        }
    }

    #[test]
    fn logs_and_heads_tell_kinds_apart() {
        let not_allowed = |name: &str| format!("[{name} @ 0x55] Format not on whitelist 'mov,mp4'");
        let cases: [(String, &[u8], &str); 13] = [
            ("[mov,mp4,m4a,3gp,3g2,mj2 @ 0x7f] moov atom not found".to_owned(), b"\0\0\0\x18ftyp", "no_index"),
            (not_allowed("png_pipe"), b"\x89PNG", "still_image"),
            (not_allowed("image2"), b"\xff\xd8", "still_image"),
            (not_allowed("hls"), b"#EXTM3U", "unsupported_format"),
            (not_allowed("srt"), b"1\n00:00", "unsupported_format"),
            (not_allowed("tty"), b"Dear reader,\nhello", "not_media"),
            (String::new(), b"Dear reader,\nhello", "not_media"),
            (String::new(), b"\xef\xbb\xbf<?xml version", "unsupported_format"),
            (String::new(), b"#EXTM3U\n", "unsupported_format"),
            (String::new(), b"\x01\x02\x03\x04", "not_media"),
            (
                "[h264 @ 0x1] [IMGUTILS @ 0x2] Picture size 16384x16384 is invalid".to_owned(),
                b"\0\0\0\x18ftyp",
                "too_many_pixels",
            ),
            (
                "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] Number of streams exceeds max_streams parameter (256), see the documentation"
                    .to_owned(),
                b"\0\0\0\x18ftyp",
                "too_many_streams",
            ),
            (String::new(), "Grüße aus Köln".as_bytes(), "not_media"),
        ];
        for (line, head, expected) in cases {
            let log = LogTail::default();
            log.push(line.as_bytes());
            match unopened(&log, head, &SourceLimits::default()) {
                TaskError::Failed(failure) => assert_eq!(failure.code, expected, "{line} {head:?}"),
                TaskError::Stopped | TaskError::Disturbed(_) => panic!("nothing was stopped"),
            }
        }
    }

    #[test]
    fn scrambled_transport_streams_are_seen() {
        let packet = |pid: u16, control: u8| {
            let mut packet = vec![0xff; 188];
            packet[0] = 0x47;
            packet[1..3].copy_from_slice(&pid.to_be_bytes());
            packet[3] = control;
            packet
        };
        let stream = |controls: [u8; 6]| -> Vec<u8> {
            let programs = controls.iter().flat_map(|control| packet(0x100, *control));
            [packet(0, 0x10), packet(0x1fff, 0x10)].concat().into_iter().chain(programs).collect()
        };
        assert!(is_scrambled_ts(&stream([0x90, 0xd0, 0x90, 0x90, 0x10, 0x90])));
        assert!(!is_scrambled_ts(&stream([0x10; 6])));
        assert!(!is_scrambled_ts(b"too short"));
        assert!(!is_scrambled_ts(&[0; 2000]));
    }
}
