//! HLS playlists, read strictly by RFC 8216: whatever it forbids or we did not expect of our own writer is an error.

use std::collections::BTreeMap;

/// A media playlist (section 4.3.3).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaPlaylist {
    pub version: u32,
    pub target_duration: u64,
    pub kind: Option<String>,
    pub independent_segments: bool,
    pub map: String,
    pub segments: Vec<Segment>,
    pub ended: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub seconds: f64,
    pub uri: String,
}

/// A multivariant playlist (section 4.3.4, where it is called a master playlist).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Multivariant {
    pub independent_segments: bool,
    pub variants: Vec<Variant>,
    pub audio: Vec<Audio>,
    /// `DATA-ID` to `VALUE`.
    pub session_data: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    pub uri: String,
    pub bandwidth: u64,
    pub average_bandwidth: Option<u64>,
    pub codecs: Vec<String>,
    pub resolution: Option<(u32, u32)>,
    pub frame_rate: Option<f64>,
    pub audio: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    pub group: String,
    pub uri: String,
    pub attributes: BTreeMap<String, String>,
}

impl MediaPlaylist {
    /// # Errors
    /// What breaks the RFC, or is not what a CMAF stream has.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut playlist = Self::default();
        let mut duration: Option<f64> = None;
        let mut seen = Vec::new();
        for line in lines(text)? {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            if tag.starts_with("#EXT-X-") && tag != "#EXT-X-MAP" && seen.contains(&tag) {
                return Err(format!("{tag} stands there twice"));
            }
            if playlist.ended {
                return Err(format!("{line} after the end"));
            }
            match tag {
                "#EXT-X-VERSION" => playlist.version = number(value)?,
                "#EXT-X-TARGETDURATION" => playlist.target_duration = number(value)?,
                "#EXT-X-MEDIA-SEQUENCE" if value != "0" => {
                    return Err("nothing is ever removed, so numbers start at 0".to_owned());
                }
                "#EXT-X-MEDIA-SEQUENCE" if playlist.segments.is_empty() => {}
                "#EXT-X-PLAYLIST-TYPE" if matches!(value, "VOD" | "EVENT") => playlist.kind = Some(value.to_owned()),
                "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent_segments = true,
                "#EXT-X-MAP" if playlist.map.is_empty() && playlist.segments.is_empty() => {
                    playlist.map = attributes(value)?.remove("URI").ok_or("EXT-X-MAP without URI")?;
                }
                "#EXTINF" => {
                    let seconds = value.split_once(',').ok_or(format!("{line} has no comma"))?.0;
                    if duration.replace(number(seconds)?).is_some() {
                        return Err(format!("{line} follows another EXTINF"));
                    }
                }
                "#EXT-X-ENDLIST" => playlist.ended = true,
                _ if line.starts_with('#') => return Err(format!("{line} does not belong there")),
                _ => {
                    let seconds = duration.take().ok_or(format!("{line} has no EXTINF"))?;
                    playlist.segments.push(Segment { seconds, uri: line.to_owned() });
                }
            }
            if line.starts_with('#') {
                seen.push(tag);
            }
        }
        playlist.check(duration, &seen)?;
        Ok(playlist)
    }

    fn check(&self, open: Option<f64>, seen: &[&str]) -> Result<(), String> {
        let longest = self.segments.iter().map(|segment| segment.seconds).fold(0.0, f64::max);
        let rules = [
            (open.is_none(), "the last EXTINF has no address"),
            (seen.contains(&"#EXT-X-TARGETDURATION"), "EXT-X-TARGETDURATION is missing (4.3.3.1)"),
            // Fractions of seconds need version 3, EXT-X-MAP without I-frames version 6 (section 7).
            (self.version >= 6, "EXT-X-MAP needs version 6"),
            (!self.map.is_empty(), "EXT-X-MAP is missing"),
            (longest.round() as u64 <= self.target_duration, "a segment, rounded, is longer than the target duration (4.3.3.1)"),
            (self.segments.iter().all(|segment| segment.seconds > 0.0), "a segment lasts no time"),
            (self.kind.as_deref() != Some("VOD") || self.ended, "a VOD playlist that has not ended"),
        ];
        rules.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err((*what).to_owned()))
    }

    pub fn seconds(&self) -> f64 {
        self.segments.iter().map(|segment| segment.seconds).sum()
    }
}

impl Multivariant {
    /// # Errors
    /// What breaks the RFC, or is not what we write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut playlist = Self::default();
        let mut pending: Option<BTreeMap<String, String>> = None;
        for line in lines(text)? {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            if pending.is_some() && line.starts_with('#') {
                return Err(format!("EXT-X-STREAM-INF is followed by {line} (4.3.4.2)"));
            }
            match tag {
                "#EXT-X-VERSION" => {}
                "#EXT-X-INDEPENDENT-SEGMENTS" => playlist.independent_segments = true,
                "#EXT-X-MEDIA" => playlist.audio.push(Audio::read(attributes(value)?)?),
                "#EXT-X-SESSION-DATA" => {
                    let mut data = attributes(value)?;
                    let (Some(id), Some(text), None) = (data.remove("DATA-ID"), data.remove("VALUE"), data.pop_first()) else {
                        return Err(format!("{line} is not a DATA-ID with a VALUE (4.3.4.4)"));
                    };
                    if playlist.session_data.insert(id, text).is_some() {
                        return Err(format!("{line} says again what was said (4.3.4.4)"));
                    }
                }
                "#EXT-X-STREAM-INF" => pending = Some(attributes(value)?),
                _ if line.starts_with('#') => return Err(format!("{line} does not belong there")),
                _ => {
                    let attributes = pending.take().ok_or(format!("{line} has no EXT-X-STREAM-INF"))?;
                    playlist.variants.push(Variant::read(line, &attributes)?);
                }
            }
        }
        if pending.is_some() || playlist.variants.is_empty() {
            return Err("a variant without an address, or no variant at all".to_owned());
        }
        for group in playlist.variants.iter().filter_map(|variant| variant.audio.as_ref()) {
            if playlist.audio.iter().all(|audio| audio.group != *group) {
                return Err(format!("there is no audio group {group} (4.3.4.2)"));
            }
        }
        Ok(playlist)
    }
}

impl Audio {
    fn read(mut attributes: BTreeMap<String, String>) -> Result<Self, String> {
        if attributes.get("TYPE").map(String::as_str) != Some("AUDIO") || !attributes.contains_key("NAME") {
            return Err(format!("EXT-X-MEDIA has TYPE and NAME (4.3.4.1): {attributes:?}"));
        }
        let mut take = |name: &str| attributes.remove(name).ok_or(format!("EXT-X-MEDIA without {name}"));
        Ok(Self { group: take("GROUP-ID")?, uri: take("URI")?, attributes })
    }
}

impl Variant {
    fn read(uri: &str, attributes: &BTreeMap<String, String>) -> Result<Self, String> {
        let get = |name: &str| attributes.get(name).map(String::as_str);
        let required = |name: &str| get(name).ok_or(format!("EXT-X-STREAM-INF of {uri} without {name}"));
        let resolution = |text: &str| -> Result<(u32, u32), String> {
            let (width, height) = text.split_once('x').ok_or(format!("RESOLUTION={text}"))?;
            Ok((number(width)?, number(height)?))
        };
        Ok(Self {
            uri: uri.to_owned(),
            bandwidth: number(required("BANDWIDTH")?)?,
            average_bandwidth: get("AVERAGE-BANDWIDTH").map(number).transpose()?,
            codecs: required("CODECS")?.split(',').map(str::to_owned).collect(),
            resolution: get("RESOLUTION").map(resolution).transpose()?,
            frame_rate: get("FRAME-RATE").map(number).transpose()?,
            audio: get("AUDIO").map(str::to_owned),
        })
    }
}

/// Lines that mean something (4.1): UTF-8 without a byte order mark, `#EXTM3U` first, blank lines and comments left out.
fn lines(text: &str) -> Result<Vec<&str>, String> {
    let mut lines = text.lines();
    if lines.next() != Some("#EXTM3U") {
        return Err("the first line is not #EXTM3U (4.3.1.1)".to_owned());
    }
    Ok(lines.filter(|line| !line.is_empty() && (!line.starts_with('#') || line.starts_with("#EXT"))).collect())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

/// An attribute list (4.2): names and values, quotes taken off.
fn attributes(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=').ok_or(format!("{rest} is no attribute"))?;
        let name_fits = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or(format!("{value} has no second quote"))?,
            None => value.split_at(value.find(',').unwrap_or(value.len())),
        };
        if !name_fits || found.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("the attribute {name:?} is misspelt, or stands there twice"));
        }
        rest = match after.strip_prefix(',') {
            Some(rest) => rest,
            None if after.is_empty() => "",
            None => return Err(format!("{after} follows a value")),
        };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI=\"init.mp4\"\n";

    #[test]
    fn a_good_media_playlist_is_read() {
        let text = format!("{HEAD}#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:6.00600,\n0.m4s\n#EXTINF:2.5,\n1.m4s\n#EXT-X-ENDLIST\n");
        let playlist = MediaPlaylist::parse(&text).expect("it is good");
        assert_eq!((playlist.map.as_str(), playlist.segments.len(), playlist.ended), ("init.mp4", 2, true));
        assert!((playlist.seconds() - 8.506).abs() < 1e-9);
    }

    #[test]
    fn what_the_rfc_forbids_is_found() {
        for (text, what) in [
            ("#EXT-X-VERSION:7\n".to_owned(), "first line"),
            (HEAD.replace(":7", ":4"), "version 6"),
            (HEAD.replace("#EXT-X-TARGETDURATION:6\n", ""), "TARGETDURATION"),
            (format!("{HEAD}#EXTINF:6.6,\n0.m4s\n"), "target duration"),
            (format!("{HEAD}0.m4s\n"), "no EXTINF"),
            (format!("{HEAD}#EXTINF:6,\n"), "no address"),
            (format!("{HEAD}#EXTINF:6\n0.m4s\n"), "no comma"),
            (format!("{HEAD}#EXT-X-ENDLIST\n#EXTINF:6,\n0.m4s\n"), "after the end"),
            (format!("{HEAD}#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:6,\n0.m4s\n"), "not ended"),
            (format!("{HEAD}#EXT-X-VERSION:7\n"), "twice"),
        ] {
            let error = MediaPlaylist::parse(&text).expect_err(what);
            assert!(error.contains(what), "{what}: {error}");
        }
    }

    #[test]
    fn attributes_may_hold_commas_in_quotes() {
        let found = attributes("BANDWIDTH=5,CODECS=\"avc1.64001f,mp4a.40.2\",AUDIO=\"a\"").expect("an attribute list");
        assert_eq!(found["CODECS"], "avc1.64001f,mp4a.40.2");
        assert_eq!(found.len(), 3);
        for bad in ["A", "A=\"b", "a=b", "A=1,A=2", "A=\"b\"c"] {
            assert!(attributes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_group_has_to_be_there() {
        let variant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64001f\",RESOLUTION=64x36,AUDIO=\"a\"\nv.m3u8\n";
        assert!(Multivariant::parse(variant).is_err_and(|error| error.contains("no audio group")));
        let media = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"Sound\",URI=\"a.m3u8\"\n";
        let playlist = Multivariant::parse(&variant.replace("#EXTM3U\n", &format!("#EXTM3U\n{media}"))).expect("it is good");
        assert_eq!((playlist.variants[0].resolution, playlist.audio[0].uri.as_str()), (Some((64, 36)), "a.m3u8"));
    }
}
