use super::{Part, Splitter};
use crate::{
    file::boxes::{put, put_full, put_u32, put_u64},
    fragment::BadMedia,
    testing::ffmpeg_in,
};

/// A clip with B-frames and sound as ffmpeg fragments it, one file for each track.
fn clip(track: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = "-movflags +frag_keyframe+empty_moov+default_base_moof+skip_trailer+delay_moov -use_editlist 1 -f mp4 out.mp4";
    let arguments = match track {
        "video" => "-f lavfi -i testsrc2=size=128x72:rate=25:duration=2 -pix_fmt yuv420p -c:v libx264 -preset fast -g 20",
        _ => "-f lavfi -i sine=duration=2:sample_rate=48000 -ac 2 -c:a aac -frag_duration 256000",
    };
    ffmpeg_in(folder.path(), &format!("{arguments} {flags}"));
    std::fs::read(folder.path().join("out.mp4")).expect("the clip")
}

fn split(data: &[u8], piece: usize) -> Result<Vec<Part>, BadMedia> {
    let mut splitter = Splitter::new();
    let mut parts = Vec::new();
    for piece in data.chunks(piece) {
        splitter.push(piece);
        while let Some(part) = splitter.next_part()? {
            parts.push(part);
        }
    }
    assert!(splitter.is_between_parts() || data.len() < 2000, "something is left over");
    Ok(parts)
}

#[test]
fn a_stream_is_cut_the_same_however_it_comes() {
    let data = clip("video");
    let parts = split(&data, data.len()).expect("it is understood");
    for piece in [1, 7, 1000] {
        assert!(split(&data, piece).expect("it is understood") == parts);
    }
    let Some((Part::Init { data: init_data, init }, fragments)) = parts.split_first() else { panic!("no init first") };
    assert_eq!((init.header.codecs.as_str(), init.header.timescale), ("avc1.64000a", 12800));
    assert_eq!(init.header.media_time, 2 * 512, "x264 delays by two frames");
    assert_eq!(init.header.fingerprint.len(), 64);
    let mut joined = init_data.to_vec();
    let mut found = Vec::new();
    for part in fragments {
        let Part::Fragment(fragment) = part else { panic!("two inits") };
        found.push((fragment.start_ticks, fragment.samples, fragment.duration_ticks));
        joined.extend_from_slice(&fragment.data);
    }
    assert!(joined == data, "no byte is lost");
    assert_eq!(found, [(0, 20, 10240), (10240, 20, 10240), (20480, 10, 5120)]);
}

#[test]
fn sound_says_its_codec_and_priming() {
    let parts = split(&clip("sound"), 4096).expect("it is understood");
    let Some(Part::Init { init, .. }) = parts.first() else { panic!("no init first") };
    assert_eq!((init.header.codecs.as_str(), init.header.timescale, init.header.media_time), ("mp4a.40.2", 48000, 1024));
    let counts: Vec<u32> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Init { .. } => None,
            Part::Fragment(fragment) => Some(fragment.samples),
        })
        .collect();
    assert_eq!(counts, [12, 12, 12, 12, 12, 12, 12, 11]);
}

#[test]
fn an_edit_list_leaves_the_fingerprint_alone() {
    let data = clip("video");
    let fingerprint = |data: &[u8]| match split(data, data.len()).expect("it is understood").first() {
        Some(Part::Init { init, .. }) => (init.header.fingerprint.clone(), init.header.media_time),
        _ => panic!("no init first"),
    };
    let (plain, _) = fingerprint(&data);
    let at = data.windows(4).position(|kind| kind == b"elst").expect("an edit list");
    let mut edited = data.clone();
    edited[at + 16..at + 20].copy_from_slice(&0_u32.to_be_bytes());
    assert_eq!(fingerprint(&edited), (plain.clone(), 0));
    let at = data.windows(4).position(|kind| kind == b"avcC").expect("a codec configuration");
    let mut other = data;
    other[at + 7] ^= 1;
    assert_ne!(fingerprint(&other).0, plain);
}

/// `moof` of one track whose run claims `samples`.
fn moof(samples: u32) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, "moof", |out| {
        put(out, "traf", |out| {
            put_full(out, "tfhd", 0, 0, |out| put_u32(out, 1));
            put_full(out, "tfdt", 1, 0, |out| put_u64(out, 0));
            put_full(out, "trun", 0, 0x100, |out| put_u32(out, samples));
        });
    });
    put(&mut out, "mdat", |_| {});
    out
}

#[test]
fn hostile_streams_are_refused() {
    let clip = clip("video");
    let moof_at = clip.windows(4).position(|kind| kind == b"moof").expect("a fragment") - 4;
    let init = &clip[..moof_at];
    let with = |more: &[u8]| [init, more].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("no MP4", b"#EXTM3U and some more text".to_vec()),
        ("fragments without a header", clip[moof_at..].to_vec()),
        ("data without a moof", with(b"\0\0\0\x08mdat")),
        ("two moofs", with(&[clip[moof_at..].to_vec(), moof(0)[..32].to_vec(), moof(0)].concat())),
        ("a header of 4 GB", b"\xff\xff\xff\xffftyp".to_vec()),
        ("a fragment of 16 EB", with(b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff")),
        ("a box of 7 bytes", with(b"\0\0\0\x07moof")),
        ("more samples than bytes", with(&moof(1000))),
        ("more samples than memory", with(&moof(u32::MAX))),
        ("a moof without a track", with(b"\0\0\0\x08moof\0\0\0\x08mdat")),
    ];
    for (what, data) in cases {
        assert!(split(&data, 13).is_err(), "{what}");
    }
}

#[test]
fn no_flipped_byte_makes_it_panic() {
    let data = clip("video");
    let head = data.windows(4).position(|kind| kind == b"mdat").expect("data");
    for at in 0..head {
        for bit in [0x01, 0x80] {
            let mut broken = data[..head + 400].to_vec();
            broken[at] ^= bit;
            let mut splitter = Splitter::new();
            splitter.push(&broken);
            while let Ok(Some(_)) = splitter.next_part() {}
        }
    }
}
