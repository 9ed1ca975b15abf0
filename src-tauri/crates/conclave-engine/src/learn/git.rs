//! Files as they are on a project's default branch, read from its git objects.
//!
//! Git runs in the sandbox with a repository of our own: an empty one, in which the project's objects are shown read-only.
//! Invariant: nothing of the project's own configuration, hooks, filters or attributes is read; what cannot be read is
//! simply not known.

use std::time::Duration;

use conclave_effects::sandbox::{self, Exit, Limits, RunCommand};
use conclave_effects::scratch::{CopyToScratch, Scratch, empty};
use conclave_policy::Actor;

use crate::ctx::Ctx;
use crate::source::Sources;

/// What makes an empty folder a repository, beside its folder of objects.
const FILES: [(&str, &[u8]); 3] = [
    ("HEAD", b"ref: refs/heads/none\n"),
    ("config", b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n"),
    ("refs/heads/.keep", b""),
];
/// Where the project's objects are shown in it.
const OBJECTS: &str = "objects";
/// Branches that are taken for the default one where no remote names it, in this order.
const USUAL: [&str; 3] = ["main", "master", "trunk"];
/// The largest file of references that is read, in bytes.
const MOST_REFS: u64 = 4 << 20;
/// Time for one file.
const WALL: Duration = Duration::from_secs(10);

/// The default branch of a project, as it is known on this machine.
pub(super) struct DefaultBranch<'a> {
    cx: &'a Ctx,
    sources: &'a Sources,
    commit: String,
    /// Our own repository.
    repository: Scratch,
}

impl<'a> DefaultBranch<'a> {
    /// That of the project of `sources`: what the remote `origin` calls its head, else the usual names.
    pub async fn of(cx: &'a Ctx, sources: &'a Sources) -> Option<Self> {
        let read = |path: &str| {
            let bytes = sources.tree().read(&format!(".git/{path}"), MOST_REFS).ok()?.bytes;
            String::from_utf8(bytes).ok()
        };
        let packed = read("packed-refs").unwrap_or_default();
        let commit = default_commit(&read, &packed)?;
        let effect = CopyToScratch { root: sources.root(), base: cx.data.scratch_base(), max_bytes: 0 };
        let repository = empty(cx.gate.authorize(Actor::Engine, effect).await.ok()?).ok()?;
        for (path, bytes) in FILES {
            repository.write(path, bytes).ok()?;
        }
        repository.make_folder(OBJECTS).ok()?;
        Some(Self { cx, sources, commit, repository })
    }

    /// The bytes of the file at `path` on the branch; `None` where it is not there, or cannot be read.
    pub async fn file(&self, path: &str) -> Option<Vec<u8>> {
        let root = self.sources.root();
        let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let effect = RunCommand {
            argv: ["git", "--git-dir=.", "cat-file", "blob", &format!("{}:{path}", self.commit)]
                .map(str::to_owned)
                .to_vec(),
            tree: self.repository.path().to_owned(),
            writable: false,
            env: vec![
                variable("GIT_CONFIG_NOSYSTEM", "1"),
                variable("GIT_CONFIG_GLOBAL", "/dev/null"),
                variable("GIT_NO_REPLACE_OBJECTS", "1"),
                variable("GIT_NO_LAZY_FETCH", "1"),
                variable("GIT_OPTIONAL_LOCKS", "0"),
            ],
            read_only: Vec::new(),
            within: vec![(root.join(".git/objects"), OBJECTS.to_owned())],
            loopback: false,
            limits: Limits { wall: WALL, ..Limits::default() },
            project: Some(root),
        };
        let permit = self.cx.gate.authorize(Actor::Engine, effect).await.ok()?;
        let report = sandbox::run(permit).await.ok()?;
        (report.status == Exit::Code(0) && !report.truncated).then_some(report.stdout)
    }
}

/// The commit of the default branch by the references that `read` and `packed` hold.
fn default_commit(read: &dyn Fn(&str) -> Option<String>, packed: &str) -> Option<String> {
    let commit = |name: &str| {
        let loose = read(name).map(|text| text.trim().to_owned());
        let line = || packed.lines().find_map(|line| Some(line.split_once(' ')?).filter(|(_, of)| *of == name));
        loose.or_else(|| Some(line()?.0.to_owned())).filter(|commit| is_commit(commit))
    };
    let head = read("refs/remotes/origin/HEAD");
    let head = head.as_deref().and_then(|text| text.trim().strip_prefix("ref: ")).filter(|name| is_remote(name));
    let remote = USUAL.iter().map(|name| format!("refs/remotes/origin/{name}"));
    let local = USUAL.iter().map(|name| format!("refs/heads/{name}"));
    head.and_then(&commit).or_else(|| remote.chain(local).find_map(|name| commit(&name)))
}

/// A reference of the remote and nothing else: it becomes part of a path.
fn is_remote(name: &str) -> bool {
    let rest = name.strip_prefix("refs/remotes/origin/");
    rest.is_some_and(|rest| !rest.is_empty() && rest.split('/').all(|part| !matches!(part, "" | "." | "..")))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_branch_is_what_the_remote_says_else_the_usual_names() {
        let [a, b] = ["a".repeat(40), "b".repeat(40)];
        let found = |loose: &[(&str, &str)], packed: &str| {
            let loose: Vec<(String, String)> =
                loose.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            let read = move |path: &str| loose.iter().find(|(name, _)| name == path).map(|(_, text)| text.clone());
            default_commit(&read, packed)
        };
        let head = ("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/develop\n");
        let packed = format!("# pack-refs\n{b} refs/remotes/origin/develop\n{a} refs/heads/main\n");
        assert_eq!(found(&[head], &packed), Some(b.clone()));
        assert_eq!(found(&[], &packed), Some(a.clone()));
        assert_eq!(found(&[("refs/heads/master", &format!("{b}\n"))], ""), Some(b.clone()));
        assert_eq!(found(&[("refs/remotes/origin/main", &b), ("refs/heads/main", &a)], ""), Some(b));
        for (name, text) in [
            ("refs/heads/main", "--upload-pack=sh"),
            ("refs/heads/main", "ref: refs/heads/other"),
            ("refs/heads/feature", a.as_str()),
        ] {
            assert_eq!(found(&[(name, text)], ""), None, "{name} {text}");
        }
        let outside = [("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/../../../x"), ("refs/x", a.as_str())];
        assert_eq!(found(&outside, ""), None);
    }
}
