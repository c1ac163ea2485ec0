//! `/sys`: power and heat.

use std::{fs, path::Path};

use crate::presence::{Known, Power};

const HOW: &str = "/sys/class/power_supply";

/// Mains, unless a battery of the machine itself (not of its mouse) is what it runs on.
pub fn power(supplies: &Path) -> Known<Power> {
    let Ok(entries) = fs::read_dir(supplies) else { return Known::new(Power::Mains, "this system knows of no battery") };
    let (mut batteries, mut online) = (Vec::new(), false);
    for entry in entries.flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).ok().map(|text| text.trim().to_owned());
        match read("type").as_deref() {
            Some("Battery") if read("scope").as_deref() != Some("Device") && read("present").as_deref() != Some("0") => {
                batteries.push(read("status"));
            }
            Some("Mains" | "USB" | "Wireless") => online |= read("online").as_deref() == Some("1"),
            Some(_) | None => {}
        }
    }
    if batteries.is_empty() {
        return Known::new(Power::Mains, format!("{HOW}: there is no battery"));
    }
    let is = |status: &Option<String>, wanted: &[&str]| status.as_deref().is_some_and(|status| wanted.contains(&status));
    // A battery that empties although something is plugged in has too weak a charger.
    if batteries.iter().any(|status| is(status, &["Discharging"])) {
        return Known::new(Power::Battery, format!("{HOW}: a battery is discharging"));
    }
    if online || batteries.iter().any(|status| is(status, &["Charging", "Full", "Not charging"])) {
        return Known::new(Power::Mains, HOW);
    }
    Known::unknown(format!("{HOW}: the battery does not say what it does"))
}

/// How often the processor was slowed down, when it was last looked at.
#[derive(Debug, Default)]
pub struct Heat {
    count: Option<u64>,
}

impl Heat {
    pub fn look(&mut self, cpus: &Path) -> Known<bool> {
        let how = "thermal_throttle of the processor";
        let file = cpus.join("cpu0/thermal_throttle/package_throttle_count");
        let Some(count) = fs::read_to_string(file).ok().and_then(|text| text.trim().parse::<u64>().ok()) else {
            return Known::unknown(format!("{how}: not counted here"));
        };
        let before = self.count.replace(count).unwrap_or(count);
        Known::new(count > before, how)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name), format!("{text}\n")).unwrap();
        }
    }

    #[test]
    fn power_is_told_from_supplies() {
        let battery = |status| vec![("type", "Battery"), ("scope", "System"), ("present", "1"), ("status", status)];
        let mains = |online| vec![("type", "Mains"), ("online", online)];
        let mouse = vec![("type", "Battery"), ("scope", "Device"), ("status", "Discharging")];
        let cases = [
            (vec![], Some(Power::Mains)),
            (vec![mouse.clone()], Some(Power::Mains)),
            (vec![battery("Discharging"), mains("0")], Some(Power::Battery)),
            (vec![battery("Discharging"), mains("1")], Some(Power::Battery)),
            (vec![battery("Charging"), mains("1"), mouse], Some(Power::Mains)),
            (vec![battery("Full"), mains("0")], Some(Power::Mains)),
            (vec![battery("Not charging")], Some(Power::Mains)),
            (vec![battery("Unknown"), mains("1")], Some(Power::Mains)),
            (vec![battery("Unknown"), mains("0")], None),
            (vec![vec![("type", "Battery")]], None),
            (vec![vec![("type", "Battery"), ("present", "0")]], Some(Power::Mains)),
        ];
        for (supplies, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            for (n, files) in supplies.iter().enumerate() {
                write(&folder.path().join(n.to_string()), files);
            }
            let power = power(folder.path());
            assert_eq!(power.value, expected, "{supplies:?}: {}", power.how);
        }
        assert_eq!(power(Path::new("/nowhere")).value, Some(Power::Mains));
    }

    #[test]
    fn heat_is_what_is_counted_since_the_last_look() {
        let folder = tempfile::tempdir().unwrap();
        let throttle = folder.path().join("cpu0/thermal_throttle");
        let mut heat = Heat::default();
        assert_eq!(heat.look(folder.path()).value, None);
        write(&throttle, &[("package_throttle_count", "7")]);
        assert_eq!(heat.look(folder.path()).value, Some(false));
        write(&throttle, &[("package_throttle_count", "8")]);
        assert_eq!(heat.look(folder.path()).value, Some(true));
        assert_eq!(heat.look(folder.path()).value, Some(false));
    }
}
