//! Where a program of a step is, and what of this machine the sandbox has to show for it.
//!
//! Invariant: of a home only the folders that are named here are shown, and none of them holds a key.

use std::path::{Path, PathBuf};

use conclave_effects::sandbox::{find_program, tool_folders};

use super::folder::ancestors;

/// A program that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// Its path in the sandbox.
    pub program: String,
    /// What it needs to see.
    pub read_only: Vec<PathBuf>,
    /// How it is told where that is.
    pub env: Vec<(String, String)>,
}

/// What a program needs beside itself.
struct Needs {
    name: &'static str,
    /// Beside its `bin` and `lib`.
    beside: &'static [&'static str],
    homes: &'static [Home],
}

/// Folders below the person’s home, and the variable by which a program is told of them.
struct Home {
    folders: &'static [&'static str],
    variable: &'static str,
    /// `{home}` stands for the home.
    value: &'static str,
}

const NEEDS: &[Needs] = &[
    Needs {
        name: "cargo",
        beside: &[],
        homes: &[
            Home { folders: &[".rustup"], variable: "RUSTUP_HOME", value: "{home}/.rustup" },
            Home { folders: &[".cargo/registry", ".cargo/git"], variable: "CARGO_HOME", value: "{home}/.cargo" },
        ],
    },
    Needs {
        name: "go",
        beside: &["src", "pkg", "VERSION", "go.env"],
        homes: &[Home { folders: &["go/pkg/mod"], variable: "GOMODCACHE", value: "{home}/go/pkg/mod" }],
    },
    Needs {
        name: "mvn",
        beside: &["boot", "conf"],
        homes: &[Home {
            folders: &[".m2/repository"],
            variable: "MAVEN_OPTS",
            value: "-Dmaven.repo.local={home}/.m2/repository",
        }],
    },
    Needs {
        name: "gradle",
        beside: &[],
        homes: &[Home {
            folders: &[".gradle/caches"],
            variable: "GRADLE_RO_DEP_CACHE",
            value: "{home}/.gradle/caches",
        }],
    },
    Needs {
        name: "dotnet",
        beside: &[],
        homes: &[Home { folders: &[".nuget/packages"], variable: "NUGET_PACKAGES", value: "{home}/.nuget/packages" }],
    },
];

/// Finds the program `name`, which is started in the folder `at` of the project at `root`.
pub(super) fn find(name: &str, root: &Path, at: &str, home: Option<&Path>) -> Result<Tool, String> {
    if name.contains('/') {
        let program = Path::new(name);
        let read_only =
            if program.is_absolute() && !name.starts_with("/scratch/") { tool_folders(program) } else { Vec::new() };
        return Ok(Tool { program: name.to_owned(), read_only, env: Vec::new() });
    }
    let is_python = name == "python" || name == "python3";
    if let Some(tool) = is_python.then(|| environment(root, at)).flatten() {
        return Ok(tool);
    }
    let names: &[&str] = if is_python { &["python3", "python"] } else { &[name] };
    let found = names.iter().find_map(|name| visible(name, root));
    let path = found.ok_or_else(|| format!("`{name}` is not installed, or not where the sandbox can see it"))?;
    let mut tool = Tool { program: path.display().to_string(), read_only: tool_folders(&path), env: Vec::new() };
    if let Some(needs) = NEEDS.iter().find(|needs| needs.name == name) {
        needs.add(&path, home, &mut tool);
    }
    Ok(tool)
}

impl Needs {
    fn add(&self, program: &Path, home: Option<&Path>, tool: &mut Tool) {
        let program = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        if let Some(prefix) = program.parent().and_then(Path::parent).filter(|prefix| !prefix.starts_with("/usr")) {
            tool.read_only.extend(self.beside.iter().map(|name| prefix.join(name)).filter(|path| path.exists()));
        }
        let Some(home) = home else { return };
        for part in self.homes {
            let there: Vec<PathBuf> =
                part.folders.iter().map(|name| home.join(name)).filter(|path| path.is_dir()).collect();
            if !there.is_empty() {
                tool.read_only.extend(there);
                tool.env.push((part.variable.to_owned(), part.value.replace("{home}", &home.display().to_string())));
            }
        }
    }
}

/// The program on `PATH`, or the system’s where that one is only a stand-in that looks for the real one elsewhere.
fn visible(name: &str, root: &Path) -> Option<PathBuf> {
    let found = find_program(name, root);
    let shown = |path: &PathBuf| path.starts_with("/usr") || path.starts_with("/bin") || !tool_folders(path).is_empty();
    found.filter(shown).or_else(|| {
        let system = ["/usr/local/bin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
        system.into_iter().find(|path| path.is_file())
    })
}

/// The Python of the project’s own virtual environment, in the nearest folder that has one.
fn environment(root: &Path, at: &str) -> Option<Tool> {
    let folders = ancestors(at).flat_map(|at| [".venv", "venv"].map(|name| root.join(at).join(name)));
    folders.filter(|folder| folder.join("pyvenv.cfg").is_file()).find_map(|folder| {
        // The project chose this folder and the links in it: it has to be a folder of the project, with the Python of an
        // installation that is one, or the sandbox would show whatever a link names.
        let is_own = folder.canonicalize().is_ok_and(|real| real == folder);
        let program = folder.join("bin/python");
        let real = program.canonicalize().ok()?;
        let base = real.parent()?.parent()?;
        let version = real.file_name()?.to_str()?;
        let is_python =
            version.starts_with("python") && (base.join("lib").join(version).is_dir() || real.starts_with("/usr"));
        if !is_own || !is_python {
            return None;
        }
        let mut read_only = vec![folder.clone()];
        read_only.extend(tool_folders(&program).into_iter().filter(|path| !path.starts_with(root)));
        Some(Tool { program: program.display().to_string(), read_only, env: Vec::new() })
    })
}

#[cfg(test)]
mod tests;
