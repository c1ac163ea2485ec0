use sha2::{Digest, Sha256};

use crate::{
    boxes::{BadMedia, BoxRef, Fields, boxes, find, need},
    moof::Defaults,
};

/// What an init segment (`ftyp` + `moov`) says of its one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitHeader {
    /// SHA-256, in hex, of the init segment without its `edts` box.
    pub fingerprint: String,
    /// RFC 6381: `avc1.64001f`, `mp4a.40.2`.
    pub codecs: String,
    pub timescale: u32,
    /// `media_time` of the edit list, in the track's timescale; 0 without one.
    pub media_time: u64,
}

/// What an init segment says: the part that others want to know, and the defaults that its fragments rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackInit {
    pub header: InitHeader,
    /// Of `trex`.
    pub defaults: Defaults,
}

/// Reads an init segment (`ftyp` and `moov`) of one track.
///
/// # Errors
/// When boxes are cut off or missing, when there is more than one track, or when the codec is none that Offpeak makes.
pub fn parse_init(data: &[u8]) -> Result<TrackInit, BadMedia> {
    let moov = need(data, "moov")?;
    let tracks = boxes(moov.payload)?.into_iter().filter(|found| &found.kind == b"trak").count();
    if tracks != 1 {
        return Err(BadMedia::Other(format!("there are {tracks} tracks where one is wanted")));
    }
    let trak = need(moov.payload, "trak")?;
    let mdia = need(trak.payload, "mdia")?;
    let stbl = need(need(mdia.payload, "minf")?.payload, "stbl")?;
    let header = InitHeader {
        fingerprint: fingerprint(data)?,
        codecs: codecs(need(stbl.payload, "stsd")?.payload)?,
        timescale: timescale(need(mdia.payload, "mdhd")?.payload)?,
        media_time: find(trak.payload, "edts")?.map_or(Ok(0), |edts| media_time(edts.payload))?,
    };
    let mut trex = Fields::new(need(need(moov.payload, "mvex")?.payload, "trex")?.payload, "trex");
    trex.skip(12)?;
    Ok(TrackInit { header, defaults: Defaults { duration: trex.u32()?, size: trex.u32()? } })
}

/// Hash of everything but edit lists: those differ for very short spans, and say nothing of how to decode.
///
/// Boxes around an edit list are hashed without their sizes, which would tell of it.
fn fingerprint(data: &[u8]) -> Result<String, BadMedia> {
    let mut hash = Sha256::new();
    hash_boxes(&mut hash, data)?;
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn hash_boxes(hash: &mut Sha256, data: &[u8]) -> Result<(), BadMedia> {
    for BoxRef { kind, payload, whole } in boxes(data)? {
        match &kind {
            b"edts" => {}
            b"moov" | b"trak" => {
                hash.update(kind);
                hash_boxes(hash, payload)?;
            }
            _ => hash.update(whole),
        }
    }
    Ok(())
}

fn timescale(mdhd: &[u8]) -> Result<u32, BadMedia> {
    let mut fields = Fields::new(mdhd, "mdhd");
    let (version, _) = fields.version_and_flags()?;
    fields.skip(if version == 1 { 16 } else { 8 })?;
    match fields.u32()? {
        0 => Err(BadMedia::Other("a second has no ticks".to_owned())),
        ticks => Ok(ticks),
    }
}

fn media_time(edts: &[u8]) -> Result<u64, BadMedia> {
    let Some(elst) = find(edts, "elst")? else { return Ok(0) };
    let mut fields = Fields::new(elst.payload, "elst");
    let (version, _) = fields.version_and_flags()?;
    match fields.u32()? {
        0 => return Ok(0),
        1 => {}
        edits => return Err(BadMedia::Other(format!("there are {edits} edits where one is wanted"))),
    }
    fields.wide(version)?;
    let time = fields.wide(version)?;
    let empty = if version == 1 { u64::MAX } else { u64::from(u32::MAX) };
    if time == empty { Err(BadMedia::Other("the track begins with an empty edit".to_owned())) } else { Ok(time) }
}

/// RFC 6381 §3.3 name of the one sample entry.
fn codecs(stsd: &[u8]) -> Result<String, BadMedia> {
    let entries = stsd.get(8..).ok_or_else(|| BadMedia::CutOff("stsd".to_owned()))?;
    let entry = boxes(entries)?.into_iter().next().ok_or(BadMedia::Missing("sample entry"))?;
    // Fixed fields of sample entries: ISO/IEC 14496-12 §12.1.3 (visual, 78 bytes) and §12.2.3 (audio, 28 bytes).
    let children = |fixed: usize| entry.payload.get(fixed..).ok_or_else(|| BadMedia::CutOff("sample entry".to_owned()));
    match &entry.kind {
        b"avc1" | b"avc3" => {
            let avcc = need(children(78)?, "avcC")?;
            // ISO/IEC 14496-15 §5.3.3.1: version, then profile, compatibility, level.
            let [profile, compatibility, level] =
                avcc.payload.get(1..4).and_then(|bytes| bytes.try_into().ok()).ok_or(BadMedia::CutOff("avcC".to_owned()))?;
            let kind = String::from_utf8_lossy(&entry.kind);
            Ok(format!("{kind}.{profile:02x}{compatibility:02x}{level:02x}"))
        }
        b"mp4a" => aac_name(need(children(28)?, "esds")?.payload),
        other => Err(BadMedia::Other(format!("sample entries of type `{}` are not made here", String::from_utf8_lossy(other)))),
    }
}

/// Descriptors of ISO/IEC 14496-1 §7.2.6 down to the first bits of the AudioSpecificConfig (14496-3 §1.6.2.1).
fn aac_name(esds: &[u8]) -> Result<String, BadMedia> {
    const ES: u8 = 3;
    const DECODER_CONFIG: u8 = 4;
    const DECODER_SPECIFIC: u8 = 5;
    let cut = || BadMedia::CutOff("esds".to_owned());
    let (es, _) = descriptor(esds.get(4..).ok_or_else(cut)?, ES)?;
    // ES_ID and flags; ffmpeg sets none of the flags that would add fields.
    let (config, _) = descriptor(es.get(3..).ok_or_else(cut)?, DECODER_CONFIG)?;
    let object_type = *config.first().ok_or_else(cut)?;
    let (specific, _) = descriptor(config.get(13..).ok_or_else(cut)?, DECODER_SPECIFIC)?;
    let audio_object = specific.first().ok_or_else(cut)? >> 3;
    Ok(format!("mp4a.{object_type:02x}.{audio_object}"))
}

/// Content of the descriptor that `data` begins with, and what comes after it.
fn descriptor(data: &[u8], tag: u8) -> Result<(&[u8], &[u8]), BadMedia> {
    let cut = || BadMedia::CutOff("esds".to_owned());
    let (&found, mut rest) = data.split_first().ok_or_else(cut)?;
    if found != tag {
        return Err(BadMedia::Other(format!("`esds` has descriptor {found} where {tag} is wanted")));
    }
    let mut length = 0_usize;
    // Seven bits a byte, at most four of them.
    for _ in 0..4 {
        let (&byte, after) = rest.split_first().ok_or_else(cut)?;
        rest = after;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    rest.split_at_checked(length).ok_or_else(cut)
}
