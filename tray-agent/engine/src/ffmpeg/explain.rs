use super::{Ended, LogTail};
use crate::task::TaskError;

/// Messages of ffmpeg that say clearly that the source is at fault; the first that fits counts.
const SOURCE_FAULTS: [(&[&str], &str, &str); 5] = [
    (
        &["encrypted", "decryption key", "drm"],
        "source_encrypted",
        "The source is encrypted: it needs to be exported without copy protection first.",
    ),
    (
        &["picture size", "max_pixels", "dimensions not set"],
        "source_too_large",
        "The source's pictures are larger than Offpeak takes, or have no size at all.",
    ),
    (
        &["matches no streams", "does not contain any stream", "cannot find a matching stream"],
        "source_stream_missing",
        "The stream that was found when the source was probed is not there any more.",
    ),
    (
        &["no decoder found", "decoder not found", "decoding requested, but no decoder", ") not on whitelist"],
        "source_codec_unknown",
        "The source is in a codec that the bundled ffmpeg cannot decode.",
    ),
    (
        &["moov atom not found", "invalid data found when processing input", "error reading header", "nothing was written"],
        "source_corrupt",
        "The source is damaged: ffmpeg cannot make sense of it.",
    ),
];

/// Messages that say that this machine is at fault, whatever else is said.
const MACHINE_FAULTS: [&str; 4] = [MEMORY_FAULTS[0], MEMORY_FAULTS[1], "connection refused", "no space left"];

/// Messages of a program that was given no more memory.
pub(super) const MEMORY_FAULTS: [&str; 3] = ["cannot allocate memory", "out of memory", "malloc of size"];

/// Why a run of ffmpeg failed, with the end of its log.
pub fn explain(ended: Ended, log: &LogTail) -> TaskError {
    if ended == Ended::OverTime && !log.mentions(&MEMORY_FAULTS) {
        let message = "Decoding or encoding the source does not come to an end. It is damaged, or was made to keep machines busy: \
                       export it again.";
        return TaskError::source("too_much_work", message).with_log(log.lines());
    }
    let at_fault = SOURCE_FAULTS.iter().find(|(words, ..)| log.mentions(words));
    let error = match (ended, at_fault) {
        (Ended::Badly { .. } | Ended::Well, Some((_, code, message))) if !log.mentions(&MACHINE_FAULTS) => {
            TaskError::source(code, *message)
        }
        _ => {
            if log.mentions(&MEMORY_FAULTS) {
                let message = format!("ffmpeg {ended}: it needed more memory than this machine gives a task");
                return TaskError::agent("out_of_memory", message).with_log(log.lines());
            }
            let last = log.lines().pop().map(|line| format!(": {line}")).unwrap_or_default();
            TaskError::agent("ffmpeg_failed", format!("ffmpeg {ended}{last}"))
        }
    };
    error.with_log(log.lines())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_faults_of_the_source_are_told_from_the_rest() {
        let cases = [
            (Ended::Badly { code: 183 }, "[mov] moov atom not found", "source_corrupt"),
            (Ended::Badly { code: 1 }, "[h264] Picture size 20000x20000 is invalid", "source_too_large"),
            (Ended::Badly { code: 1 }, "Stream map '' matches no streams.", "source_stream_missing"),
            (Ended::Badly { code: 1 }, "encrypted sample: Decryption key required", "source_encrypted"),
            (Ended::Badly { code: 1 }, "something else", "ffmpeg_failed"),
            (Ended::Killed, "Invalid data found when processing input", "ffmpeg_failed"),
            (Ended::Badly { code: 1 }, "Invalid data found when processing input\nCannot allocate memory", "out_of_memory"),
            (Ended::OverTime, "whatever it said", "too_much_work"),
        ];
        for (ended, text, code) in cases {
            let log = LogTail::default();
            text.lines().for_each(|line| log.push(line.as_bytes()));
            let TaskError::Failed(failure) = explain(ended, &log) else { panic!("not a failure") };
            assert_eq!(failure.code, code, "{text}");
            assert_eq!(failure.log_tail, log.lines());
        }
    }
}
