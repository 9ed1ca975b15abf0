//! How many threads a model gets.
//!
//! The threads of llama.cpp wait for each other by spinning, so that more of them than free cores make it slower by far.

use std::num::NonZero;

/// The number of threads: as many as wished, at most as many as there are cores; without a wish as many as cores are
/// idle, one less than there are, and at least one.
pub fn choose(wished: Option<u32>) -> u32 {
    let usable = std::thread::available_parallelism().map_or(1, NonZero::get);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    decide(wished, usable, &read("/proc/cpuinfo"), &read("/proc/loadavg"))
}

fn decide(wished: Option<u32>, usable: usize, processors: &str, load: &str) -> u32 {
    let usable = u32::try_from(usable).unwrap_or(u32::MAX).max(1);
    if let Some(wished) = wished {
        return wished.clamp(1, usable);
    }
    let physical = cores(processors).map_or(usable, |cores| cores.min(usable));
    physical.saturating_sub(1).min(usable.saturating_sub(busy(load))).max(1)
}

/// Cores that calculate for themselves, by what Linux tells of the processors; `None` where it does not.
fn cores(processors: &str) -> Option<u32> {
    let value = |block: &str, key: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix(':').map(str::trim).map(str::to_owned))
    };
    let place = |block: &str| Some((value(block, "physical id")?, value(block, "core id")?));
    let all: Option<std::collections::BTreeSet<_>> = processors.trim().split("\n\n").map(place).collect();
    all.and_then(|all| u32::try_from(all.len()).ok())
}

/// Processes that have been running or waiting to run for the last minute, on average.
fn busy(load: &str) -> u32 {
    let average = load.split_whitespace().next().and_then(|word| word.parse::<f32>().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    let rounded = average.round() as u32;
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_leave_a_core_free_and_never_outnumber_the_idle_ones() {
        let four = "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\nphysical id\t: 0\ncore id\t\t: 1\n\n\
                    processor\t: 2\nphysical id\t: 1\ncore id\t\t: 0\n\nprocessor\t: 3\nphysical id\t: 1\ncore id\t\t: 1\n";
        let two_with_siblings = four.replace("physical id\t: 1", "physical id\t: 0");
        let cases = [
            (None, 4, four, "0.10 0.2 0.3 1/99 7", 3),
            (None, 4, two_with_siblings.as_str(), "0.10 0 0", 1),
            (None, 4, four, "1.6 0 0", 2),
            (None, 4, four, "9.00 0 0", 1),
            (None, 2, four, "0.0 0 0", 1),
            (None, 8, "", "", 7),
            (None, 1, "", "", 1),
            (Some(2), 4, four, "9.00 0 0", 2),
            (Some(64), 4, four, "", 4),
            (Some(0), 4, four, "", 1),
        ];
        for (wished, usable, processors, load, expect) in cases {
            assert_eq!(decide(wished, usable, processors, load), expect, "{wished:?} of {usable} at {load}");
        }
    }
}
