//! A finished stream, fetched like a player does: from the multivariant playlist on, without a token.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use offpeak_api::job::Job;
use url::Url;

use crate::{
    client::Client,
    fragments::{Fragment, Init},
    playlist::{MediaPlaylist, Multivariant, Variant},
};

/// All of a stream's playlists and media.
pub struct Stream {
    pub multivariant: Multivariant,
    /// In the order of the multivariant playlist. For a job without pictures these are its sound.
    pub variants: Vec<(Variant, Track)>,
    /// The sound beside the pictures.
    pub audio: Option<Track>,
}

/// One rendition, as a media playlist lists it.
pub struct Track {
    pub address: Url,
    pub playlist: MediaPlaylist,
    pub init: Bytes,
    pub header: Init,
    pub segments: Vec<Bytes>,
}

impl Stream {
    /// Fetches everything that the job's HLS output names.
    pub async fn fetch(client: &Client, job: &Job) -> Self {
        let address = job.outputs.hls.as_ref().unwrap_or_else(|| panic!("{} has no HLS output: {job:#?}", job.id));
        let address = Url::parse(address).expect("outputs have absolute addresses");
        let text = text(client, &address).await;
        let multivariant = Multivariant::parse(&text).unwrap_or_else(|e| panic!("{address}: {e}\n{text}"));
        let mut variants = Vec::new();
        for variant in &multivariant.variants {
            variants.push((variant.clone(), Track::fetch(client, &join(&address, &variant.uri)).await));
        }
        let audio = match &multivariant.audio[..] {
            [] => None,
            [audio] => Some(Track::fetch(client, &join(&address, &audio.uri)).await),
            several => panic!("one audio track was expected, not {several:?}"),
        };
        Self { multivariant, variants, audio }
    }
}

impl Track {
    async fn fetch(client: &Client, address: &Url) -> Self {
        let text = text(client, address).await;
        let playlist = MediaPlaylist::parse(&text).unwrap_or_else(|e| panic!("{address}: {e}\n{text}"));
        let init = client.media(join(address, &playlist.map).as_str()).await;
        let mut segments = Vec::new();
        for segment in &playlist.segments {
            segments.push(client.media(join(address, &segment.uri).as_str()).await);
        }
        Self { address: address.clone(), header: Init::read(&init), playlist, init, segments }
    }

    /// Init segment and all segments as one file.
    pub fn write_joined(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        let joined: Vec<u8> = std::iter::once(&self.init).chain(&self.segments).flat_map(|part| part.iter().copied()).collect();
        std::fs::write(&path, joined).expect("the file can be written");
        path
    }

    /// The fragments of each segment.
    pub fn fragments(&self) -> Vec<Vec<Fragment>> {
        self.segments.iter().map(|segment| self.header.fragments(segment)).collect()
    }

    /// The first place where decode times leave a gap or overlap, from 0 on.
    pub fn first_gap(&self) -> Option<String> {
        let mut expected = 0;
        for (index, fragments) in self.fragments().iter().enumerate() {
            for fragment in fragments {
                if fragment.start_ticks != expected {
                    return Some(format!("segment {index} has a fragment at {} where {expected} is due", fragment.start_ticks));
                }
                expected += fragment.duration_ticks;
            }
        }
        None
    }

    /// Segments whose `EXTINF` is not what their samples last, by more than half a millisecond.
    pub fn wrong_durations(&self) -> Vec<String> {
        let scale = f64::from(self.header.timescale);
        let told = self.playlist.segments.iter();
        let told = told.zip(self.fragments()).enumerate();
        let wrong = told.filter_map(|(index, (segment, fragments))| {
            let ticks: u64 = fragments.iter().map(|fragment| fragment.duration_ticks).sum();
            let seconds = ticks as f64 / scale;
            let off = (segment.seconds - seconds).abs() > 5e-4;
            off.then(|| format!("segment {index} lasts {seconds} s, and its EXTINF says {}", segment.seconds))
        });
        wrong.collect()
    }
}

async fn text(client: &Client, address: &Url) -> String {
    let bytes = client.media(address.as_str()).await;
    String::from_utf8(bytes.to_vec()).unwrap_or_else(|e| panic!("{address} is not UTF-8: {e}"))
}

fn join(base: &Url, reference: &str) -> Url {
    base.join(reference).unwrap_or_else(|e| panic!("{reference}: {e}"))
}
