//! Who programs in the sandbox are to the machine.

use std::sync::OnceLock;

use rustix::fs::{Gid, Uid};

/// The user and group "nobody", which own nothing.
const NOBODY: u32 = 65534;

/// The user and group that programs in the sandbox run as, where they are not ourselves: nobody, when we are root.
///
/// In a user namespace without a nobody, root is somebody else outside, and the program runs as that.
pub(crate) fn guest() -> Option<(Uid, Gid)> {
    static GUEST: OnceLock<Option<(Uid, Gid)>> = OnceLock::new();
    *GUEST.get_or_init(|| {
        let exists = |map: &str| outside(map, NOBODY).is_some();
        let is_possible = cfg!(target_os = "linux")
            && rustix::process::geteuid().is_root()
            && exists(&map("uid_map"))
            && exists(&map("gid_map"));
        is_possible.then(|| (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY)))
    })
}

/// Whether programs would be root to the machine: then nothing limits how many processes they start.
#[cfg(target_os = "linux")]
pub(super) fn would_be_root() -> bool {
    let us = rustix::process::geteuid();
    guest().is_none() && outside(&map("uid_map"), us.as_raw()).is_none_or(|user| user == 0)
}

/// Whether what `user` owns is the system's: root, or one that our user namespace does not know, whom the kernel shows
/// as nobody.
pub(super) fn is_the_system(user: u32) -> bool {
    user == 0 || user == NOBODY && outside(&map("uid_map"), NOBODY).is_none()
}

/// Our user namespace's map of users or groups; without one, all are themselves.
fn map(name: &str) -> String {
    std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_else(|_| "0 0 4294967295".to_owned())
}

/// What `id` is outside the namespace: lines of `first-inside first-outside count`.
fn outside(map: &str, id: u32) -> Option<u32> {
    map.lines().find_map(|line| {
        let numbers: Vec<u32> = line.split_whitespace().map_while(|number| number.parse().ok()).collect();
        let [inside, outside, count] = numbers[..] else { return None };
        let at = id.checked_sub(inside).filter(|at| *at < count)?;
        outside.checked_add(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_in_the_namespace_s_map() {
        let whole = "         0          0 4294967295\n";
        let cases = [
            (whole, 0, Some(0)),
            (whole, 65534, Some(65534)),
            ("0 0 1", 0, Some(0)),
            ("0 0 1", 65534, None),
            ("0 1000 1\n", 0, Some(1000)),
            ("0 1000 1\n1 100000 65536\n", 65534, Some(165533)),
            ("0 1000 1\n1 100000 65536\n", 65537, None),
            ("", 0, None),
            ("nonsense", 0, None),
        ];
        for (map, id, expect) in cases {
            assert_eq!(outside(map, id), expect, "{id} in {map:?}");
        }
    }
}
