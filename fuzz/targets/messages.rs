//! JSON that agents and servers send each other: what reads is written back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use offpeak_api::{
    agent::StateReport,
    facts::Facts,
    lease::{CommitRequest, CompleteRequest, FailRequest, Heartbeat, LeaseRequest, Orders, UploadUrlsRequest},
    policy::Policy,
    problem::Problem,
};
use serde::{Serialize, de::DeserializeOwned};

fn there_and_back<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(value) = serde_json::from_slice::<T>(data) else { return };
    let text = serde_json::to_vec(&value).expect("what was read can be written");
    serde_json::from_slice::<T>(&text).expect("and read again");
}

fuzz_target!(|data: &[u8]| {
    there_and_back::<Facts>(data);
    there_and_back::<LeaseRequest>(data);
    there_and_back::<Heartbeat>(data);
    there_and_back::<CommitRequest>(data);
    there_and_back::<CompleteRequest>(data);
    there_and_back::<FailRequest>(data);
    there_and_back::<UploadUrlsRequest>(data);
    there_and_back::<Orders>(data);
    there_and_back::<StateReport>(data);
    there_and_back::<Problem>(data);
    if let Ok(policy) = serde_json::from_slice::<Policy>(data) {
        let _ = policy.check();
        let _ = policy.is_on_schedule(offpeak_api::policy::Weekday::Mon, 0);
    }
});
