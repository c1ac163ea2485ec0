//! Reads fragmented MP4 as a strict player would, without our own engine's code (ISO/IEC 14496-12).

use bytes::{Buf, Bytes};

/// What an init segment says of its one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Ticks a second of all times in the track.
    pub timescale: u32,
    /// Ticks that come before presentation time 0, by the edit list.
    pub media_time: u64,
    /// RFC 6381, as the sample entry has it: `avc1.64001f`; just the four letters where we do not look deeper.
    pub codec: String,
    /// From `trex`, for fragments that do not say it themselves.
    default_duration: u32,
    default_flags: u32,
}

/// One `moof` with its `mdat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    /// `tfdt`: decode time of the first sample.
    pub start_ticks: u64,
    pub samples: u32,
    pub duration_ticks: u64,
    /// The first sample can be decoded without others.
    pub starts_with_sync: bool,
    /// No other sample can.
    pub only_first_is_sync: bool,
}

/// `sample_is_non_sync_sample` of the sample flags (8.8.3.1).
const NON_SYNC: u32 = 0x0001_0000;

/// The boxes that lie side by side in `data`.
fn boxes(mut data: Bytes) -> Vec<(String, Bytes)> {
    let mut found = Vec::new();
    while !data.is_empty() {
        assert!(data.len() >= 8, "{} bytes are left over after the last box", data.len());
        let size = u32::from_be_bytes([data[0], data[1], data[2], data[3]]) as usize;
        let kind = String::from_utf8_lossy(&data[4..8]).into_owned();
        assert!(size >= 8 && size <= data.len(), "a box {kind} of {size} bytes in {} bytes", data.len());
        found.push((kind, data.slice(8..size)));
        data.advance(size);
    }
    found
}

fn find(boxes: &[(String, Bytes)], kind: &str) -> Option<Bytes> {
    boxes.iter().find(|(name, _)| name == kind).map(|(_, body)| body.clone())
}

/// The box at the end of a path of containers.
fn descend(data: Bytes, path: &[&str]) -> Option<Bytes> {
    path.iter().try_fold(data, |data, kind| find(&boxes(data), kind))
}

/// Version and flags of a full box, which are taken off.
fn full_box(body: &mut Bytes) -> (u8, u32) {
    let word = body.get_u32();
    ((word >> 24) as u8, word & 0x00ff_ffff)
}

impl Init {
    /// # Panics
    /// When `data` is not `ftyp` and `moov` with exactly one track.
    pub fn read(data: &Bytes) -> Self {
        let top = boxes(data.clone());
        let kinds: Vec<&str> = top.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["ftyp", "moov"], "an init segment is ftyp and moov");
        let moov = find(&top, "moov").expect("checked above");
        assert_eq!(boxes(moov.clone()).iter().filter(|(kind, _)| kind == "trak").count(), 1, "CMAF has one track a file");
        let trak = descend(moov.clone(), &["trak"]).expect("a trak");

        let mut mdhd = descend(trak.clone(), &["mdia", "mdhd"]).expect("an mdhd");
        let (version, _) = full_box(&mut mdhd);
        mdhd.advance(if version == 1 { 16 } else { 8 });
        let timescale = mdhd.get_u32();

        let mut stsd = descend(trak.clone(), &["mdia", "minf", "stbl", "stsd"]).expect("an stsd");
        full_box(&mut stsd);
        assert_eq!(stsd.get_u32(), 1, "one sample entry");
        let codec = codec(stsd);

        let mut trex = descend(moov, &["mvex", "trex"]).expect("a trex");
        full_box(&mut trex);
        trex.advance(8);
        let default_duration = trex.get_u32();
        trex.advance(4);
        let default_flags = trex.get_u32();
        Self { timescale, media_time: media_time(trak), codec, default_duration, default_flags }
    }

    /// All fragments of a segment, in order.
    pub fn fragments(&self, segment: &Bytes) -> Vec<Fragment> {
        let top = boxes(segment.clone());
        let mut fragments = Vec::new();
        for (i, (kind, body)) in top.iter().enumerate() {
            match kind.as_str() {
                "moof" => {
                    assert!(top.get(i + 1).is_some_and(|(next, _)| next == "mdat"), "a moof without its mdat");
                    fragments.push(self.fragment(body.clone()));
                }
                "mdat" | "styp" | "sidx" | "emsg" | "prft" => {}
                other => panic!("a segment holds a {other} box"),
            }
        }
        assert!(!fragments.is_empty(), "a segment without a fragment");
        fragments
    }

    fn fragment(&self, moof: Bytes) -> Fragment {
        let traf = boxes(descend(moof, &["traf"]).expect("a traf"));
        let mut tfdt = find(&traf, "tfdt").expect("a tfdt");
        let (version, _) = full_box(&mut tfdt);
        let start_ticks = if version == 1 { tfdt.get_u64() } else { u64::from(tfdt.get_u32()) };

        let mut tfhd = find(&traf, "tfhd").expect("a tfhd");
        let (_, flags) = full_box(&mut tfhd);
        tfhd.advance(4);
        let mut optional = |flag: u32| (flags & flag != 0).then(|| tfhd.get_u32());
        assert_eq!(flags & 0x1, 0, "CMAF allows no base data offset");
        optional(0x2);
        let default_duration = optional(0x8).unwrap_or(self.default_duration);
        optional(0x10);
        let default_flags = optional(0x20).unwrap_or(self.default_flags);

        let mut samples: Vec<(u32, u32)> = Vec::new();
        for (_, trun) in traf.iter().filter(|(kind, _)| kind == "trun") {
            let mut trun = trun.clone();
            let (_, flags) = full_box(&mut trun);
            let count = trun.get_u32();
            if flags & 0x1 != 0 {
                trun.advance(4);
            }
            let first_flags = (flags & 0x4 != 0).then(|| trun.get_u32());
            for i in 0..count {
                let mut optional = |flag: u32| (flags & flag != 0).then(|| trun.get_u32());
                let duration = optional(0x100).unwrap_or(default_duration);
                optional(0x200);
                let own_flags = optional(0x400).unwrap_or(default_flags);
                optional(0x800);
                samples.push((duration, first_flags.filter(|_| i == 0).unwrap_or(own_flags)));
            }
        }
        let is_sync = |flags: u32| flags & NON_SYNC == 0;
        Fragment {
            start_ticks,
            samples: samples.len() as u32,
            duration_ticks: samples.iter().map(|(duration, _)| u64::from(*duration)).sum(),
            starts_with_sync: samples.first().is_some_and(|(_, flags)| is_sync(*flags)),
            only_first_is_sync: samples.iter().skip(1).all(|(_, flags)| !is_sync(*flags)),
        }
    }
}

/// The one sample entry's codec. `avcC` lies behind the 78 bytes of a visual sample entry; its bytes 1 to 3 are profile,
/// constraints and level (ISO/IEC 14496-15, 5.3.3.1).
fn codec(entries: Bytes) -> String {
    let (name, entry) = boxes(entries).swap_remove(0);
    if name != "avc1" {
        return name;
    }
    let avcc = find(&boxes(entry.slice(78..)), "avcC").expect("an avcC");
    format!("avc1.{:02x}{:02x}{:02x}", avcc[1], avcc[2], avcc[3])
}

/// The start of the one edit, in ticks; 0 without an edit list.
fn media_time(trak: Bytes) -> u64 {
    let Some(mut elst) = descend(trak, &["edts", "elst"]) else { return 0 };
    let (version, _) = full_box(&mut elst);
    assert_eq!(elst.get_u32(), 1, "one edit and no more");
    if version == 1 {
        elst.advance(8);
        elst.get_u64()
    } else {
        elst.advance(4);
        u64::from(elst.get_u32())
    }
}
