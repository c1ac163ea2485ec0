//! What the log tells of encoded segments: the test of chaos counts waste by it.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use super::{Clip, MP4, segments};
use crate::testing::Delivery;

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Segments that were sent and that were logged, of the first rendition.
async fn sent_and_logged(clip: &Clip, (first, last, to_end): (u32, u32, bool)) -> (Vec<u32>, Vec<u32>) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::DEBUG).with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let work = clip.span(first, last, to_end, 0);
    let (pieces, _) = clip.encode(&work, Delivery::Whole).await.expect("a span");
    drop(guard);
    let name = &work.renditions[0].id;
    let sent = segments(&pieces, name).into_iter().map(|(row, _)| row).collect();
    let text = String::from_utf8(log.0.lock().expect("the log").clone()).expect("text");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line of JSON"));
    let fields = lines.map(|line| line["fields"].clone());
    let of_rendition = |fields: &serde_json::Value| fields["message"] == "encoded a segment" && fields["rendition"] == *name;
    let logged = fields.filter(of_rendition).map(|fields| fields["row"].as_u64().expect("a row") as u32).collect();
    (sent, logged)
}

#[tokio::test]
async fn every_segment_is_logged_once_the_films_last_one_too() {
    // Five rows of two seconds, and three frames that join the last of them.
    let joined = Clip::h264("-g 50 -bf 2", "a.mp4", MP4, 0.0);
    // Five rows, and a sixth of fifteen frames.
    let rest = Clip::h264("-g 50 -bf 2 -t 10.6 -vf tpad=stop_duration=1", "a.mp4", MP4, 0.0);
    for (clip, span, rows) in [(&joined, (0, 2, false), 0..2), (&joined, (3, 5, true), 3..5), (&rest, (3, 6, true), 3..6)] {
        let (sent, logged) = sent_and_logged(clip, span).await;
        assert_eq!(sent, rows.collect::<Vec<u32>>(), "{span:?}");
        assert_eq!(logged, sent, "{span:?}");
    }
}
