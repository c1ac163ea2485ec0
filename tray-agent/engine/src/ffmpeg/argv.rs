use std::ffi::OsString;

use offpeak_api::work::SourceLimits;

use super::allowed::{DECODERS, MOST_STREAMS};

/// Decoders count pixels after rounding sides up to whole blocks; sizes just within the limit must not fail there.
pub const ALIGNMENT_PIXELS: u64 = 1 << 20;

/// Arguments for ffmpeg or ffprobe, built up in order.
#[derive(Debug, Clone, Default)]
pub struct Argv(Vec<OsString>);

impl Argv {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.0.push(argument.into());
        self
    }

    /// An option and its value, for all values that can be written as text.
    #[must_use]
    pub fn option(self, name: &str, value: impl ToString) -> Self {
        self.arg(name).arg(value.to_string())
    }

    /// Options for the input that follows: nothing but the loopback may be opened, no format but `formats` (a list
    /// separated by commas) read, no codec but those of films decoded, no picture larger than the limit.
    #[must_use]
    pub fn input_limits(self, formats: &str) -> Self {
        self.option("-protocol_whitelist", "http,tcp")
            .option("-format_whitelist", formats)
            .option("-codec_whitelist", DECODERS)
            .option("-max_streams", MOST_STREAMS)
            .option("-max_pixels", SourceLimits::default().max_pixels + ALIGNMENT_PIXELS)
    }

    /// [`Self::input_limits`] for a container that is known (a demuxer's name as ffprobe prints it, maybe a list of
    /// aliases): that demuxer is forced, so that nothing inside the file can choose another.
    #[must_use]
    pub fn input_container(self, container: &str) -> Self {
        let first = container.split(',').next().unwrap_or(container);
        self.input_limits(container).option("-f", first)
    }

    pub fn as_slice(&self) -> &[OsString] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<OsString> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_just_within_the_limit_pass_after_they_are_rounded_up() {
        let argv = Argv::new().input_limits("mov").into_vec();
        let at = argv.iter().position(|argument| argument == "-max_pixels").expect("the option");
        let allowed: u64 = argv[at + 1].to_str().and_then(|value| value.parse().ok()).expect("a number");
        let limit = SourceLimits::default().max_pixels;
        for (width, height) in [(5990_u64, 5990_u64), (6000, 6000), (16_384, 2197)] {
            assert!(width * height <= limit, "{width}x{height} is allowed");
            let counted = width.next_multiple_of(64) * height.next_multiple_of(64);
            assert!(counted <= allowed, "{width}x{height} counts {counted} pixels of {allowed}");
        }
        assert!(6100 * 6100 > allowed);
    }
}
