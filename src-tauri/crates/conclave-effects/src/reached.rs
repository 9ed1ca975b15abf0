//! Which files a search, a copy or a file pattern reaches that names only a folder.
//!
//! Like [`resolve_touched`](crate::resolve_touched) this only looks, so that a rule can judge what will be touched: it
//! lists folders and reads ignore files, and opens nothing else. Which files are ignored is found out with the library
//! that ripgrep itself is made of.
//! Invariants: the answer is the same for the same folder; the work is bounded by [`MOST_ENTRIES`]; what cannot be looked
//! at makes the answer [`TooMany`](Reached::TooMany) or is left out only where whoever searches cannot see it either.

use std::path::{Component, Path, PathBuf};

use conclave_policy::command::Sweep;
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder};

use crate::resolve;

/// The most files and folders that one look passes.
pub const MOST_ENTRIES: usize = 50_000;

/// What is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// These files, each where it really is, in the order of their names.
    Files(Vec<PathBuf>),
    /// More than is looked at: anything may be among them.
    TooMany,
}

/// The files that `sweep` reaches, seen from the folder `here`, which is absolute.
pub fn reached(sweep: &Sweep, here: &Path) -> Reached {
    // Without the steps that are none, because globs are compared with what stands behind `here`.
    let folder: PathBuf = here.join(&sweep.folder).components().collect();
    if !folder.is_dir() {
        return Reached::Files(Vec::new());
    }
    if sweep.repository
        && let Ok(real) = resolve(&folder)
        && let Some(top) = real.ancestors().find(|folder| folder.join(".git").exists())
    {
        let sweep = Sweep { folder: top.to_string_lossy().into_owned(), repository: false, ..sweep.clone() };
        return reached(&sweep, top);
    }
    let is_below = folder.starts_with(here) && !folder.components().any(|part| part == Component::ParentDir);
    if !is_below && sweep.globs.iter().any(|glob| glob.contains('/')) {
        return reached(&Sweep::everything(sweep.folder.as_str()), here);
    }
    let (Some(globs), Some(names), Some(closed)) = (
        overrides(here, sweep.globs.iter().map(String::as_str)),
        overrides(Path::new("/"), sweep.names.iter().map(String::as_str)),
        overrides(Path::new("/"), sweep.closed.iter().map(String::as_str)),
    ) else {
        // A glob that cannot be read may mean anything.
        let everything = Sweep { pattern: sweep.pattern.clone(), ..Sweep::everything(sweep.folder.as_str()) };
        let is_narrower = !(sweep.globs.is_empty() && sweep.names.is_empty() && sweep.closed.is_empty());
        return if is_narrower { reached(&everything, here) } else { Reached::TooMany };
    };
    let pattern =
        sweep.pattern.as_ref().map(|pattern| overrides(&folder, [format!("/{pattern}").as_str()].into_iter()));
    let mut walk = WalkBuilder::new(&folder);
    walk.standard_filters(false)
        .hidden(!sweep.hidden)
        .max_depth(sweep.depth)
        .follow_links(sweep.links)
        .overrides(globs)
        .sort_by_file_name(Ord::cmp);
    if !sweep.ignored {
        walk.parents(true).ignore(true).git_ignore(true).git_global(true).git_exclude(true);
        walk.add_custom_ignore_filename(".rgignore");
    }
    walk.filter_entry(move |entry| entry.depth() == 0 || !(is_folder(entry) && is_closed(entry, &closed)));
    let mut files = Vec::new();
    for (passed, entry) in walk.build().enumerate() {
        if passed >= MOST_ENTRIES {
            return Reached::TooMany;
        }
        // A folder that cannot be listed, a link that leads nowhere or in a circle: nobody reads those either.
        let Ok(entry) = entry else { continue };
        if is_folder(&entry) || entry.file_type().is_some_and(|kind| kind.is_symlink()) {
            continue;
        }
        let fits = match &pattern {
            None => true,
            Some(None) => true,
            Some(Some(pattern)) => pattern.matched(entry.path(), false).is_whitelist(),
        };
        if fits && !names.matched(Path::new(entry.file_name()), false).is_ignore() {
            files.push(resolve(entry.path()).unwrap_or_else(|_| entry.into_path()));
        }
    }
    Reached::Files(files)
}

fn overrides<'a>(root: &Path, mut globs: impl Iterator<Item = &'a str>) -> Option<Override> {
    let mut builder = OverrideBuilder::new(root);
    globs.try_for_each(|glob| builder.add(glob).map(drop)).ok()?;
    builder.build().ok()
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// Whether a folder is not entered: because the sweep says so, or because git keeps nothing but packed data there.
fn is_closed(entry: &DirEntry, closed: &Override) -> bool {
    let name = Path::new(entry.file_name());
    let packed = name == "objects" && entry.path().parent().is_some_and(|above| above.ends_with(".git"));
    packed || closed.matched(name, true).is_whitelist()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_reached_is_what_the_program_reads() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        for name in [".git/objects", "src/deep", "out", ".hidden"] {
            create_dir_all(top.join(name)).unwrap();
        }
        for (name, text) in [
            (".gitignore", ".env\nout\n"),
            (".env", ""),
            (".git/config", ""),
            (".git/objects/pack", ""),
            (".hidden/a.py", ""),
            ("a.py", ""),
            ("out/b.py", ""),
            ("src/.env", ""),
            ("src/c.py", ""),
            ("src/deep/d.txt", ""),
        ] {
            write(top.join(name), text).unwrap();
        }
        symlink("../.env", top.join("src/link")).unwrap();
        let outer = top.file_name().unwrap().to_str().unwrap().to_owned();
        let all = Sweep::everything(".");
        let seen = Sweep { folder: ".".to_owned(), ..Sweep::default() };
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let pattern = |folder: &str, pattern: &str, depth| Sweep {
            folder: folder.to_owned(),
            pattern: Some(pattern.to_owned()),
            depth: Some(depth),
            ignored: true,
            links: true,
            ..Sweep::default()
        };
        let cases = [
            (all.clone(), ".env .git/config .gitignore .hidden/a.py a.py out/b.py src/.env src/c.py src/deep/d.txt"),
            (seen.clone(), "a.py src/c.py src/deep/d.txt"),
            (
                Sweep { hidden: true, ..seen.clone() },
                ".git/config .gitignore .hidden/a.py a.py src/c.py src/deep/d.txt",
            ),
            (Sweep { ignored: true, ..seen.clone() }, "a.py out/b.py src/c.py src/deep/d.txt"),
            (Sweep { globs: list(&[".e*"]), ..seen.clone() }, ".env src/.env"),
            (Sweep { globs: list(&["!*.py"]), ..seen.clone() }, "src/deep/d.txt"),
            (Sweep { folder: "src".to_owned(), globs: list(&["/src/.env"]), ..seen.clone() }, "src/.env"),
            (Sweep { globs: list(&["out/*.py"]), ..seen.clone() }, ""),
            (Sweep { globs: list(&["src/.e*"]), ..seen.clone() }, "src/.env"),
            (Sweep { folder: "../".to_owned() + &outer, globs: list(&["x/y"]), ..seen.clone() }, "ALL"),
            (Sweep { globs: list(&["{"]), depth: Some(1), ..seen.clone() }, "ALL"),
            (Sweep { names: list(&["!.env"]), ..Sweep::everything("src") }, "src/c.py src/deep/d.txt"),
            (Sweep { names: list(&["*.py", "!c*"]), ..all.clone() }, ".hidden/a.py a.py out/b.py"),
            (Sweep { names: list(&["!.env"]), closed: list(&["deep"]), ..Sweep::everything("src") }, "src/c.py"),
            (Sweep { links: true, depth: Some(1), ..Sweep::everything("src") }, ".env src/.env src/c.py"),
            (Sweep { depth: Some(1), ..all.clone() }, ".env .gitignore a.py"),
            (pattern(".", "*", 1), "a.py"),
            (pattern("src", "l*", 1), ".env"),
            (pattern(".", "s*/c.[p]y", 2), "src/c.py"),
            (Sweep { folder: "src/deep".to_owned(), repository: true, ..seen.clone() }, "a.py src/c.py src/deep/d.txt"),
            (Sweep::everything("a.py"), ""),
            (Sweep::everything("nowhere"), ""),
        ];
        let everything = cases[0].1;
        for (sweep, expect) in &cases {
            let Reached::Files(found) = reached(sweep, &top) else { panic!("{sweep:?}") };
            let mut found: Vec<_> =
                found.iter().map(|path| path.strip_prefix(&top).unwrap().to_str().unwrap()).collect();
            found.sort_unstable();
            let expect = if *expect == "ALL" { everything } else { expect };
            assert_eq!(found.join(" "), expect, "{sweep:?}");
        }
    }

    #[test]
    fn a_look_has_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        // A circle of links is no endless tree.
        symlink(".", top.join("again")).unwrap();
        assert_eq!(reached(&Sweep { links: true, ..Sweep::everything(".") }, &top), Reached::Files(Vec::new()));
        for n in 0..=MOST_ENTRIES {
            write(top.join(n.to_string()), "").unwrap();
        }
        assert_eq!(reached(&Sweep::everything("."), &top), Reached::TooMany);
    }
}
