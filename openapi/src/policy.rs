//! When and how much a machine works for the farm. The server keeps a policy for each group of agents; engines obey it, and
//! the person at the desk may be stricter.

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// What is absent has its default. All fields are always sent, so that an engine needs no defaults of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Policy {
    /// Work begins after so long without any input: 10 s to a day.
    #[schema(minimum = 10, maximum = 86_400)]
    pub start_after_idle_seconds: u32,
    /// Suspended work goes on after so long without input: 5 s to an hour.
    #[schema(minimum = 5, maximum = 3600)]
    pub resume_after_idle_seconds: u32,
    /// Work that was suspended for so long is handed back: 30 s to an hour.
    #[schema(minimum = 30, maximum = 3600)]
    pub release_after_suspended_seconds: u32,
    /// Work begins while other programs use less than this share of the whole processor: 0.05 to 1.
    #[schema(minimum = 0.05, maximum = 1)]
    pub other_cpu_below: f64,
    /// Not on battery.
    pub mains_only: bool,
    /// Not over a connection that is paid by volume.
    pub unmetered_only: bool,
    /// When work is allowed, by the clock of the machine; at any time when empty.
    #[schema(max_items = 50)]
    pub schedule: Vec<Hours>,
    /// The most cores to use; all of them when null.
    #[schema(minimum = 1)]
    pub max_cores: Option<u32>,
    /// The most memory for encoding, in MiB; what the machine can spare when null.
    #[schema(minimum = 256)]
    pub max_memory_mib: Option<u64>,
    /// Cap on the network rate for media, in bits a second; none when null.
    #[schema(minimum = 100_000)]
    pub max_bits_per_second: Option<u64>,
    /// No work for machines on which ffmpeg is not walled off in full (`capabilities.sandbox`).
    pub require_sandbox: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            start_after_idle_seconds: 300,
            resume_after_idle_seconds: 60,
            release_after_suspended_seconds: 600,
            other_cpu_below: 0.3,
            mains_only: true,
            unmetered_only: true,
            schedule: Vec::new(),
            max_cores: None,
            max_memory_mib: None,
            max_bits_per_second: None,
            require_sandbox: false,
        }
    }
}

const MOST_HOURS: usize = 50;

impl Policy {
    /// Which rule it breaks, as a sentence.
    pub fn check(&self) -> Result<(), &'static str> {
        let rules = [
            ((10..=86_400).contains(&self.start_after_idle_seconds), "`start_after_idle_seconds` is 10 to 86400."),
            ((5..=3600).contains(&self.resume_after_idle_seconds), "`resume_after_idle_seconds` is 5 to 3600."),
            ((30..=3600).contains(&self.release_after_suspended_seconds), "`release_after_suspended_seconds` is 30 to 3600."),
            ((0.05..=1.0).contains(&self.other_cpu_below), "`other_cpu_below` is 0.05 to 1."),
            (self.max_cores != Some(0), "`max_cores` is at least 1."),
            (self.max_memory_mib.is_none_or(|mib| mib >= 256), "`max_memory_mib` is at least 256."),
            (self.max_bits_per_second.is_none_or(|bits| bits >= 100_000), "`max_bits_per_second` is at least 100000."),
            (self.schedule.len() <= MOST_HOURS, "`schedule` has at most 50 entries."),
            (self.schedule.iter().all(|hours| !hours.days.is_empty()), "Each entry of `schedule` names at least one day."),
            (self.schedule.iter().all(|hours| hours.from != hours.to), "`from` and `to` of an entry of `schedule` differ."),
            (self.schedule.iter().all(|hours| hours.from.0 < DAY_MINUTES), "`from` is before 24:00."),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, rule)| Err(rule))
    }

    /// True when the schedule allows work at this minute of the machine's own day.
    pub fn is_on_schedule(&self, day: Weekday, minute: u16) -> bool {
        self.schedule.is_empty() || self.schedule.iter().any(|hours| hours.contain(day, minute))
    }
}

/// A stretch of some days, by the clock of the machine. One that ends before it begins goes on after midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({ "days": ["mon", "tue", "wed", "thu"], "from": "18:00", "to": "08:00" }))]
pub struct Hours {
    /// On which the stretch begins.
    #[schema(min_items = 1)]
    pub days: Vec<Weekday>,
    pub from: TimeOfDay,
    pub to: TimeOfDay,
}

impl Hours {
    fn contain(&self, day: Weekday, minute: u16) -> bool {
        let (from, to) = (self.from.0, self.to.0);
        let begins = |day| self.days.contains(&day);
        if from < to {
            begins(day) && (from..to).contains(&minute)
        } else {
            (begins(day) && minute >= from) || (begins(day.before()) && minute < to)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    pub fn before(self) -> Self {
        match self {
            Self::Mon => Self::Sun,
            Self::Tue => Self::Mon,
            Self::Wed => Self::Tue,
            Self::Thu => Self::Wed,
            Self::Fri => Self::Thu,
            Self::Sat => Self::Fri,
            Self::Sun => Self::Sat,
        }
    }
}

const DAY_MINUTES: u16 = 24 * 60;

/// Minutes since midnight; `18:30` on the wire, and `24:00` is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let two_digits = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() == 2 && part.as_bytes()[0] != b'+');
        let parts = text.split_once(':').and_then(|(hours, minutes)| Some((two_digits(hours)?, two_digits(minutes)?)));
        match parts {
            Some((hours, minutes)) if minutes < 60 && hours * 60 + minutes <= DAY_MINUTES => Ok(Self(hours * 60 + minutes)),
            _ => Err("a time of day is written like 18:30, from 00:00 to 24:00"),
        }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        format!("{:02}:{:02}", time.0 / 60, time.0 % 60)
    }
}

impl PartialSchema for TimeOfDay {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"))
            .examples(["18:30"])
            .into()
    }
}

impl ToSchema for TimeOfDay {}

#[cfg(test)]
mod tests {
    use super::{Weekday::*, *};

    fn time(text: &str) -> TimeOfDay {
        TimeOfDay::try_from(text.to_owned()).expect(text)
    }

    fn hours(days: &[Weekday], from: &str, to: &str) -> Hours {
        Hours { days: days.to_vec(), from: time(from), to: time(to) }
    }

    #[test]
    fn an_empty_document_is_the_default() {
        let policy: Policy = serde_json::from_str("{}").expect("a policy");
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.check(), Ok(()));
        assert!(policy.is_on_schedule(Mon, 12 * 60));
    }

    #[test]
    fn times_of_day() {
        for (text, minutes) in [("00:00", 0), ("08:05", 485), ("24:00", 1440)] {
            assert_eq!(time(text).minutes(), minutes);
            assert_eq!(String::from(time(text)), text);
        }
        for bad in ["", "8:00", "08:60", "24:01", "08-00", "+8:00", "08:00:00", "aa:bb"] {
            assert!(TimeOfDay::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn schedules() {
        let nights = Policy {
            schedule: vec![hours(&[Mon, Tue, Wed, Thu, Fri], "18:00", "08:00"), hours(&[Sat, Sun], "00:00", "24:00")],
            ..Policy::default()
        };
        for (day, at, allowed) in [
            (Mon, "07:59", false), // Sunday's stretch ends at midnight.
            (Mon, "17:59", false),
            (Mon, "18:00", true),
            (Tue, "07:59", true),
            (Tue, "08:00", false),
            (Fri, "23:59", true),
            (Sat, "03:00", true),
            (Sun, "23:59", true),
        ] {
            assert_eq!(nights.is_on_schedule(day, time(at).minutes()), allowed, "{day:?} {at}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let all = Policy::default;
        for (policy, field) in [
            (Policy { start_after_idle_seconds: 0, ..all() }, "start_after_idle_seconds"),
            (Policy { resume_after_idle_seconds: 4000, ..all() }, "resume_after_idle_seconds"),
            (Policy { release_after_suspended_seconds: 1, ..all() }, "release_after_suspended_seconds"),
            (Policy { other_cpu_below: f64::NAN, ..all() }, "other_cpu_below"),
            (Policy { max_cores: Some(0), ..all() }, "max_cores"),
            (Policy { max_memory_mib: Some(1), ..all() }, "max_memory_mib"),
            (Policy { max_bits_per_second: Some(1), ..all() }, "max_bits_per_second"),
            (Policy { schedule: vec![hours(&[Mon], "08:00", "18:00"); 51], ..all() }, "schedule"),
            (Policy { schedule: vec![hours(&[], "08:00", "18:00")], ..all() }, "schedule"),
            (Policy { schedule: vec![hours(&[Mon], "08:00", "08:00")], ..all() }, "schedule"),
            (Policy { schedule: vec![hours(&[Mon], "24:00", "08:00")], ..all() }, "from"),
        ] {
            assert!(policy.check().is_err_and(|rule| rule.contains(field)), "{policy:?}");
        }
    }
}
