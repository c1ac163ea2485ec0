//! `OFFPEAK_STORAGE`, read: a folder, or a bucket.

use std::path::PathBuf;

use url::Url;

/// Where storage is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Folder(PathBuf),
    Bucket(BucketAddress),
}

/// `s3://bucket/prefix?endpoint=…&region=…&path_style=…`; credentials come from the usual AWS chain, never from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    pub bucket: String,
    /// Before every key: empty, or ending with `/`.
    pub prefix: String,
    /// Of a store that is not AWS.
    pub endpoint: Option<Url>,
    pub region: Option<String>,
    /// `endpoint/bucket/key` instead of `bucket.endpoint/key`.
    pub path_style: bool,
}

impl Location {
    /// What the address means, or what is wrong with it.
    pub fn parse(url: &Url) -> Result<Self, &'static str> {
        match url.scheme() {
            "file" => url.to_file_path().map(Self::Folder).map_err(|()| "is not an absolute folder"),
            "s3" => BucketAddress::parse(url).map(Self::Bucket),
            _ => Err("is not a storage that Offpeak knows"),
        }
    }
}

impl BucketAddress {
    fn parse(url: &Url) -> Result<Self, &'static str> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials, which belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        }
        let bucket = url.host_str().filter(|name| !name.is_empty()).ok_or("names no bucket")?.to_owned();
        let prefix = url.path().trim_matches('/');
        if !prefix.is_empty() && prefix.parse::<super::BlobKey>().is_err() {
            return Err("has a prefix with other characters than letters, digits, `.`, `_`, `-` and `/`");
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let (mut endpoint, mut region, mut path_style) = (None, None, None);
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "endpoint" => endpoint = Some(parse_endpoint(&value)?),
                "region" => region = Some(value.into_owned()),
                "path_style" => path_style = Some(value.parse().map_err(|_| "has a path_style other than true and false")?),
                _ => return Err("has a parameter other than endpoint, region and path_style"),
            }
        }
        // Stores that are not AWS rarely have a name for each bucket in the DNS.
        let path_style = path_style.unwrap_or(endpoint.is_some());
        Ok(Self { bucket, prefix, endpoint, region, path_style })
    }
}

fn parse_endpoint(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or("has an endpoint that is not an http or https address")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_storage() {
        let parse = |text: &str| Location::parse(&Url::parse(text).unwrap());
        let bucket = |bucket: &str, prefix: &str, endpoint: Option<&str>, region: Option<&str>, path_style| {
            let endpoint = endpoint.map(|text| Url::parse(text).unwrap());
            Ok(Location::Bucket(BucketAddress {
                bucket: bucket.into(),
                prefix: prefix.into(),
                endpoint,
                region: region.map(str::to_owned),
                path_style,
            }))
        };
        assert_eq!(parse("s3://films"), bucket("films", "", None, None, false));
        assert_eq!(parse("s3://films/"), bucket("films", "", None, None, false));
        assert_eq!(parse("s3://films/a/b/?region=eu-west-1"), bucket("films", "a/b/", None, Some("eu-west-1"), false));
        assert_eq!(
            parse("s3://films/a?endpoint=http://127.0.0.1:9000"),
            bucket("films", "a/", Some("http://127.0.0.1:9000"), None, true)
        );
        assert_eq!(
            parse("s3://films?endpoint=https%3A%2F%2Fs3.example.com&path_style=false"),
            bucket("films", "", Some("https://s3.example.com"), None, false)
        );
        for wrong in [
            "s3:///prefix",
            "s3://key:secret@films",
            "s3://films?endpoint=127.0.0.1:9000",
            "s3://films?endpoint=ftp://x",
            "s3://films?path_style=yes",
            "s3://films?acl=public",
            "s3://films/%C3%A4",
            "gs://films",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
