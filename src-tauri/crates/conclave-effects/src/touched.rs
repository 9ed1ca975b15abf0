//! Which file a path really names, and whether it is still the same one.
//!
//! [`resolve_touched`] follows every link that exists, so that a rule judges what will be touched and not what it is
//! called. It only looks: nothing is opened, nothing is kept. [`Identity`] is what a door compares with the record
//! once it holds the file itself, because a path that was looked at may name something else a moment later.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

use conclave_policy::{Access, Action, Actor, ToolRequest, TouchedPath, keys};
use rustix::fs::{Stat, fstat};

use crate::Stale;

/// The key of a request's context under which the identities of its paths are, in their order, with `-` for one where
/// nothing is.
const IDENTITIES: &str = "identities";

/// As many links are followed as the kernel follows.
const MOST_LINKS: usize = 40;
/// Longest path, in bytes, as the kernel has it.
const LONGEST: usize = 4096;

/// What `path`, seen from the folder `cwd`, will touch: links resolved as far as something exists, the rest appended.
///
/// `real` is `None` where that cannot be told: a loop, a folder that may not be searched, a step up from something that
/// is not there or is no folder, a link of `/proc` (which means another thing to every process), a name that is not
/// UTF-8, a `cwd` that is not absolute. A leading `~` is an ordinary name here; shells, and those who imitate them,
/// have to expand it themselves.
pub fn resolve_touched(path: &Path, cwd: &Path, access: Access) -> TouchedPath {
    let real = real_place(&cwd.join(path)).and_then(|real| real.into_os_string().into_string().ok());
    TouchedPath { given: path.to_string_lossy().into_owned(), real, access }
}

/// A request about paths, which are absolute, with the identity of whatever is at each.
pub(crate) fn on_paths(actor: &Actor, action: Action, resource: &Path, paths: &[(&Path, Access)]) -> ToolRequest {
    let mut request = ToolRequest::new(actor.clone(), action, resource.to_string_lossy());
    let mut identities = Vec::new();
    for (path, access) in paths {
        let touched = resolve_touched(path, Path::new("."), *access);
        identities.push(name(touched.real.as_deref().and_then(|real| Identity::at(Path::new(real)))));
        request.paths.push(touched);
    }
    request.with(IDENTITIES, identities.join(" "))
}

/// A request about a project's folder and nothing more.
pub(crate) fn on_project(actor: &Actor, action: Action, root: &Path) -> ToolRequest {
    let request = on_paths(actor, action, root, &[(root, Access::Read)]);
    let project = request.paths[0].real.clone().unwrap_or_else(|| request.resource.clone());
    request.with(keys::PROJECT, project)
}

/// Whether path number `n` of the request was `found` when it was judged; `None` is nothing.
pub(crate) fn is_same(request: &ToolRequest, n: usize, found: Option<Identity>) -> Result<(), Stale> {
    let recorded = request.context.get(IDENTITIES).and_then(|all| all.split(' ').nth(n));
    if recorded == Some(name(found).as_str()) {
        return Ok(());
    }
    let path = request.paths.get(n).map_or(request.resource.as_str(), |path| path.given.as_str());
    Err(Stale::changed(path))
}

fn name(identity: Option<Identity>) -> String {
    identity.map_or_else(|| "-".to_owned(), |identity| identity.to_string())
}

/// The place that `path` names, `None` where it cannot be told.
fn real_place(path: &Path) -> Option<PathBuf> {
    if !path.is_absolute() || path.as_os_str().len() > LONGEST {
        return None;
    }
    let mut left: VecDeque<OsString> = parts(path);
    let mut place = PathBuf::from("/");
    let mut links = 0;
    let mut exists = true;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            // Above something that is not there, the kernel and those who tidy paths by hand come to different places.
            if !exists || !place.is_dir() {
                return None;
            }
            place.pop();
            continue;
        }
        let next = place.join(&part);
        match next.symlink_metadata() {
            Ok(found) if found.is_symlink() => {
                links += 1;
                if links > MOST_LINKS || place.starts_with("/proc") {
                    return None;
                }
                let target = next.read_link().ok()?;
                if target.is_absolute() {
                    place = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    left.push_front(part);
                }
            }
            Ok(_) => place = next,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                exists = false;
                place = next;
            }
            Err(_) => return None,
        }
    }
    Some(place)
}

/// The steps of a path; `.` is none.
fn parts(path: &Path) -> VecDeque<OsString> {
    let step = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(step).collect()
}

/// Which file it is, whatever it is called: device and inode, as `device:inode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of a file or folder that is held open; `None` when the system does not say.
    pub(crate) fn of(handle: impl AsFd) -> Option<Self> {
        fstat(handle).ok().map(|stat| Self::of_stat(&stat))
    }

    pub(crate) fn of_stat(stat: &Stat) -> Self {
        #[expect(clippy::unnecessary_cast, reason = "the types differ between systems")]
        #[expect(trivial_numeric_casts, reason = "the types differ between systems")]
        Self { device: stat.st_dev as u64, inode: stat.st_ino as u64 }
    }

    /// Of what is at `place` now, which is a path without links.
    pub(crate) fn at(place: &Path) -> Option<Self> {
        rustix::fs::lstat(place).ok().map(|stat| Self::of_stat(&stat))
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.device, self.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir, write};
    use std::os::unix::fs::symlink;

    #[test]
    fn a_path_is_what_it_touches() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for name in ["project", "project/src", "outside"] {
            create_dir(top.join(name)).unwrap();
        }
        write(top.join("outside/secret"), "").unwrap();
        for (target, name) in [
            ("../outside", "project/out"),
            ("../outside/secret", "project/innocent.py"),
            ("/etc/new-file", "project/dangling"),
            ("b", "project/a"),
            ("a", "project/b"),
            ("src/..", "project/here"),
            ("/proc/self/cwd", "project/mine"),
        ] {
            symlink(target, top.join(name)).unwrap();
        }
        let long = "x/".repeat(3000);
        let cases = [
            ("src/main.py", Some("project/src/main.py")),
            ("src/new/deep/main.py", Some("project/src/new/deep/main.py")),
            ("./src/../src/./main.py", Some("project/src/main.py")),
            ("", Some("project")),
            (".", Some("project")),
            ("../outside/secret", Some("outside/secret")),
            ("innocent.py", Some("outside/secret")),
            ("out/secret", Some("outside/secret")),
            ("out/new", Some("outside/new")),
            ("out/../x", Some("x")),
            ("here/y", Some("project/y")),
            ("dangling", Some("/etc/new-file")),
            ("/usr/../etc/passwd", Some("/etc/passwd")),
            ("../../../../../../../../../../etc/passwd", Some("/etc/passwd")),
            ("~/x", Some("project/~/x")),
            ("new/../src", None),
            ("dangling/..", None),
            ("innocent.py/..", None),
            ("innocent.py/x", None),
            ("a", None),
            ("a/x", None),
            ("nul\0byte", None),
            ("/proc/self/cwd/x", None),
            ("mine", None),
            ("/dev/fd/3", None),
            (&long, None),
        ];
        for (given, expect) in cases {
            let touched = resolve_touched(Path::new(given), &top.join("project"), Access::Write);
            // An absolute expectation replaces the folder.
            let expect = expect.map(|path| top.join(path).to_string_lossy().into_owned());
            assert_eq!((touched.real, touched.given.as_str()), (expect, given));
        }
        assert_eq!(resolve_touched(Path::new("x"), Path::new("not/absolute"), Access::Read).real, None);
    }

    #[test]
    fn a_name_that_is_no_text_cannot_be_told() {
        use std::os::unix::ffi::OsStrExt as _;
        let touched = resolve_touched(Path::new(OsStr::from_bytes(b"/tmp/\xff")), Path::new("/"), Access::Read);
        assert_eq!((touched.given.as_str(), touched.real), ("/tmp/\u{fffd}", None));
    }

    #[test]
    fn an_identity_goes_with_the_file_and_not_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        write(&a, "").unwrap();
        let before = Identity::at(&a).unwrap();
        std::fs::rename(&a, &b).unwrap();
        write(&a, "").unwrap();
        assert_eq!(Identity::of(std::fs::File::open(&b).unwrap()), Some(before));
        assert_ne!(Identity::at(&a), Some(before));
    }
}
