//! Bodies of refusals as the engine's client reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use offpeak_engine::client;

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low], body)) = data.split_first_chunk::<2>() else { return };
    let _ = client::read_refusal(u16::from_be_bytes([high, low]), body).to_string();
});
