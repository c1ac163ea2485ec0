use std::ffi::OsString;

use offpeak_api::work::SourceLimits;

/// Demuxers that a source may need. None of them opens other files or addresses, as playlists (`hls`, `dash`, `concat`)
/// do; image formats are left out because a picture is no film.
pub const FORMATS: &str = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,vob,avi,flv,live_flv,asf,wtv,ogg,\
                           mxf,gxf,dv,rm,nut,ivf,h264,hevc,m4v,av1,obu,yuv4mpegpipe,mp3,wav,w64,aiff,flac,aac,ac3,eac3,\
                           dts,truehd,amr,au,caf,tta,wv,ape";

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
    /// separated by commas) read, no picture larger than the limit decoded.
    #[must_use]
    pub fn input_limits(self, formats: &str) -> Self {
        self.option("-protocol_whitelist", "http,tcp")
            .option("-format_whitelist", formats)
            .option("-max_pixels", SourceLimits::default().max_pixels)
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
