//! Whether the machine saves power.

use std::path::{Path, PathBuf};

use crate::core::facts::Env;
use crate::host::fs::own;

/// Percent at which a battery that feeds the machine is to last.
const LOW: u8 = 20;

/// Returns where the kernel tells of devices: the place that libsysfs takes from the environment, or the usual one.
pub fn devices(env: &Env) -> PathBuf {
    PathBuf::from(env.text("SYSFS_PATH").unwrap_or("/sys"))
}

/// Whether the person or a low battery wants nothing done in advance, as [`devices`] has it.
pub fn is_saved(sys: &Path) -> bool {
    let is = |path: &Path, value: &str| own::read_text(path).is_ok_and(|told| told.trim() == value);
    // What a desktop's battery saver sets: sysfs-platform_profile, or the preference of Intel's and AMD's drivers.
    if is(&sys.join("firmware/acpi/platform_profile"), "low-power")
        || is(&sys.join("devices/system/cpu/cpu0/cpufreq/energy_performance_preference"), "power")
    {
        return true;
    }
    // sysfs-class-power: that of a mouse has the scope of a device.
    own::entries(sys.join("class/power_supply")).into_iter().flatten().flatten().map(|entry| entry.path()).any(|supply| {
        is(&supply.join("type"), "Battery")
            && is(&supply.join("status"), "Discharging")
            && !is(&supply.join("scope"), "Device")
            && own::read_text(supply.join("capacity")).is_ok_and(|told| told.trim().parse().is_ok_and(|percent: u8| percent <= LOW))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_battery_and_a_battery_saver_are_found_and_nothing_else_is() {
        let low = [("type", "Battery"), ("status", "Discharging"), ("capacity", "20")];
        let check = |files: &[(&str, &str)], profile: &str, preference: &str, expected: bool| {
            let sys = tempfile::tempdir().unwrap();
            let write = |path: &str, text: &str| {
                let path = sys.path().join(path);
                path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev().for_each(|path| drop(own::make_directory(path)));
                own::overwrite(path, format!("{text}\n")).unwrap();
            };
            write("firmware/acpi/platform_profile", profile);
            write("devices/system/cpu/cpu0/cpufreq/energy_performance_preference", preference);
            for (name, text) in files {
                write(&format!("class/power_supply/BAT0/{name}"), text);
            }
            write("class/power_supply/AC/type", "Mains");
            assert_eq!(is_saved(sys.path()), expected, "{files:?} {profile} {preference}");
        };
        check(&[], "balanced", "balance_power", false);
        check(&[], "low-power", "balance_power", true);
        check(&[], "performance", "power", true);
        check(&low, "balanced", "default", true);
        check(&[low[0], low[1], ("capacity", "21")], "balanced", "default", false);
        check(&[low[0], ("status", "Charging"), low[2]], "balanced", "default", false);
        check(&[("type", "UPS"), low[1], low[2]], "balanced", "default", false);
        check(&[low[0], low[1], low[2], ("scope", "Device")], "balanced", "default", false);
        check(&[low[0], low[1], low[2], ("scope", "System")], "balanced", "default", true);
    }
}
