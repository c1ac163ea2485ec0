//! Facts as an agent tells them, planned.
#![no_main]

use libfuzzer_sys::fuzz_target;
use offpeak_api::facts::Facts;
use offpeak_server::{plan, profile};

fuzz_target!(|data: &[u8]| {
    let Ok(facts) = serde_json::from_slice::<Facts>(data) else { return };
    for profile in profile::built_in() {
        if let Ok(plan) = plan::plan(&facts, &profile) {
            assert!(plan.grid.rate.num > 0 && plan.grid.rate.den > 0);
        }
    }
});
