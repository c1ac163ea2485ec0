//! The reader of boxes: what ffmpeg could be made to write, and what an agent could store.
#![no_main]

use libfuzzer_sys::fuzz_target;
use offpeak_boxes::{Defaults, Part, Splitter, Step, Walk, parse_init, parse_moof};

fuzz_target!(|data: &[u8]| {
    let _ = parse_init(data);
    let _ = parse_moof(data, Defaults { duration: 1, size: 1 });

    // The same fragments, whatever the pieces that the stream comes in.
    let split = |step: usize| {
        let mut splitter = Splitter::new();
        let mut found = Vec::new();
        for piece in data.chunks(step.max(1)) {
            splitter.push(piece);
            loop {
                match splitter.next_part() {
                    Ok(Some(Part::Init { data, init })) => found.push((data, init.header.timescale.into())),
                    Ok(Some(Part::Fragment(fragment))) => found.push((fragment.data, fragment.start_ticks)),
                    Ok(None) => break,
                    Err(_) => return found,
                }
            }
        }
        found
    };
    assert_eq!(split(data.len()), split(7));

    // It ends, asks only for what is there, and comes to the same whatever it is given beyond what it asked for.
    let walk = |extra: usize| {
        let mut walk = Walk::new(data.len() as u64);
        for _ in 0..=data.len() * 2 + 4 {
            match walk.next() {
                Ok(Step::Done(sum)) => return Some(sum),
                Err(_) => return None,
                Ok(Step::Need { at, bytes }) => {
                    let (at, bytes) = (at as usize, bytes as usize);
                    assert!(bytes > 0 && at + bytes <= data.len());
                    if walk.feed(&data[at..(at + bytes + extra).min(data.len())]).is_err() {
                        return None;
                    }
                }
            }
        }
        panic!("the walk does not end");
    };
    assert_eq!(walk(0), walk(64 << 10));
});
