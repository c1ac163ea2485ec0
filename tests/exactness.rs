//! Every frame belongs to exactly one segment: what two engines encode in spans has, picture by picture, the hashes of one
//! uncut run of ffmpeg, and the sound neither gaps nor drifts.

use std::{collections::BTreeSet, time::Duration};

use offpeak_tests::{exact, history::History, sources, system::System};

/// For all jobs together, on a machine that builds something else at the same time.
const LIMIT: Duration = Duration::from_secs(400);

#[tokio::test(flavor = "multi_thread")]
async fn encoding_in_spans_equals_encoding_whole() {
    let mut system = System::start(1).await;
    // This one holds two leases at a time.
    system.start_engine_with_cores("engine-2", 2);
    let profile = sources::lossless_profile();
    system.client.put_profile(&profile).await;
    let folder = system.scratch();
    let mut jobs = Vec::new();
    for recipe in sources::recipes() {
        let source = recipe.make(&folder).await;
        let job = system.client.submit(&source, &profile.name).await;
        jobs.push((recipe, source, job.id));
    }
    let mut agents = BTreeSet::new();
    let mut wrong = Vec::new();
    for (recipe, source, id) in jobs {
        let job = system.client.completed(&id, LIMIT).await;
        let history = History::of(&system.client, &id).await;
        agents.extend(history.agents("encode"));
        let mut found = exact::differences(&system, &recipe, &source, &job).await;
        found.extend(history.wrong());
        let spans = history.tasks("encode").len();
        if spans < recipe.spans {
            found.push(format!("it was encoded in {spans} spans only"));
        }
        println!("{}: {} in {spans} spans", recipe.file, if found.is_empty() { "exact" } else { "WRONG" });
        wrong.extend(found.into_iter().map(|what| format!("{}: {what}", recipe.file)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(agents.len(), 2, "both engines have encoded spans");
}
