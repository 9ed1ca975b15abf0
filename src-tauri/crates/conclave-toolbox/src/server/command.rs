//! Which commands start a server: an installed program, and none that fetches one.
//!
//! A program that fetches another one at each start runs what somebody published a moment ago. None is started; what to
//! install instead is said. In the sandbox they would have no network anyway.

use std::path::Path;

/// Servers that people know by their package, with the name of the program that installing it brings.
const KNOWN: [(&str, &str); 3] = [
    ("@modelcontextprotocol/server-sequential-thinking", "mcp-server-sequential-thinking"),
    ("@modelcontextprotocol/server-memory", "mcp-server-memory"),
    ("kagimcp", "kagimcp"),
];

/// A command that fetches the program it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetching {
    /// What is fetched, as the command names it.
    pub package: String,
    /// The program that installing it brings.
    pub program: String,
    /// How it is installed.
    pub install: String,
    /// Whether the command says exactly which version.
    pub exact: bool,
    /// What the server itself is given.
    pub arguments: Vec<String>,
}

impl Fetching {
    /// Why it is not started, and what to do.
    pub fn why(&self) -> String {
        let Self { package, program, install, exact, .. } = self;
        let what = match exact {
            true => format!("this command fetches `{package}` at each start"),
            false => format!("this command runs whatever is published as `{package}` when it starts"),
        };
        format!("{what}, so it is not started; install it once with `{install}`, and name `{program}` as the command")
    }
}

/// What `command` with `args` fetches, if it is one that does.
pub fn fetching(command: &str, args: &[String]) -> Option<Fetching> {
    let name = Path::new(command).file_name()?.to_str()?.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").or(name.strip_suffix(".cmd")).unwrap_or(&name);
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match (name, words.as_slice()) {
        ("npx" | "bunx" | "pnpx", rest)
        | ("npm", ["exec" | "x", rest @ ..])
        | ("pnpm" | "yarn", ["dlx", rest @ ..])
        | ("bun", ["x", rest @ ..]) => Some(npm(rest)),
        ("uvx", rest) | ("uv", ["tool", "run", rest @ ..]) | ("uv" | "pipx", ["run", rest @ ..]) => Some(python(rest)),
        ("docker" | "podman" | "nerdctl", ["run", rest @ ..]) => Some(image(name, rest)),
        ("deno", [verb, rest @ ..]) => {
            let elsewhere = |word: &&&str| ["npm:", "jsr:", "http://", "https://"].iter().any(|p| word.starts_with(p));
            let package = rest.iter().chain([verb]).find(elsewhere)?;
            let arguments = after(rest, package);
            let package = (*package).to_owned();
            let install = format!("deno install --global {package}");
            let program = last_part(&package).to_owned();
            let exact = package.rsplit_once('@').is_some_and(|(_, version)| is_exact(version));
            Some(Fetching { package, program, install, exact, arguments })
        }
        // A shell can hide any of them.
        ("sh" | "bash" | "zsh" | "dash" | "cmd" | "powershell" | "pwsh" | "env", rest) => {
            let inner: Vec<&str> = rest
                .iter()
                .flat_map(|word| word.split_whitespace())
                .map(|word| word.trim_matches(['\'', '"']))
                .collect();
            (0..inner.len()).find_map(|at| {
                let after: Vec<String> = inner[at + 1..].iter().map(|word| (*word).to_owned()).collect();
                let is_shell = matches!(inner[at], "sh" | "bash" | "zsh" | "dash" | "env");
                (!is_shell).then(|| fetching(inner[at], &after)).flatten()
            })
        }
        _ => None,
    }
}

fn npm(words: &[&str]) -> Fetching {
    // `-p package program`, or the package by itself.
    let named = words.iter().position(|word| matches!(*word, "-p" | "--package"));
    let joined = words.iter().find_map(|word| word.strip_prefix("--package="));
    let package = joined.or(named.and_then(|at| words.get(at + 1).copied())).or_else(|| first_word(words, &[]));
    let package = package.unwrap_or("?");
    let (bare, version) = match package.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&package[..at], &package[at + 1..]),
        None => (package, ""),
    };
    Fetching {
        package: package.to_owned(),
        program: known(bare).map_or_else(|| last_part(bare).to_owned(), str::to_owned),
        install: format!("npm install --global {package}"),
        exact: is_exact(version),
        arguments: after(words, package),
    }
}

fn python(words: &[&str]) -> Fetching {
    let from = words.iter().position(|word| matches!(*word, "--from" | "--with" | "--spec"));
    let valued = ["--from", "--with", "--spec", "--python", "-p", "--index-url"];
    let program = first_word(words, &valued).unwrap_or("?");
    let package = from.and_then(|at| words.get(at + 1).copied()).unwrap_or(program);
    let cut = package.find(['=', '@', '<', '>', '~', '[']).unwrap_or(package.len());
    let version = package[cut..].trim_start_matches(['=', '@']);
    let bare = &package[..cut];
    let own = if from.is_some() { program.split(['=', '@']).next().unwrap_or(program) } else { bare };
    Fetching {
        package: package.to_owned(),
        program: known(bare).unwrap_or(own).to_owned(),
        install: format!("pipx install {package}"),
        exact: is_exact(version),
        arguments: after(words, program),
    }
}

fn image(engine: &str, words: &[&str]) -> Fetching {
    let valued = ["-e", "--env", "-v", "--volume", "--mount", "--name", "--network", "-p", "--env-file", "-w"];
    let package = first_word(words, &valued).unwrap_or("?");
    let bare = package.split(['@', ':']).next().unwrap_or(package);
    Fetching {
        package: package.to_owned(),
        program: last_part(bare).to_owned(),
        install: format!("the package that `{bare}` is made of; {engine} cannot run in the sandbox"),
        exact: package.contains("@sha256:"),
        arguments: after(words, package),
    }
}

fn known(package: &str) -> Option<&'static str> {
    KNOWN.iter().find(|(name, _)| *name == package).map(|(_, program)| *program)
}

/// The first word that is neither an option nor an option's value.
fn first_word<'a>(words: &[&'a str], valued: &[&str]) -> Option<&'a str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if valued.contains(word) {
            words.next();
        } else if !word.starts_with('-') {
            return Some(word);
        }
    }
    None
}

fn after(words: &[&str], word: &str) -> Vec<String> {
    let at = words.iter().position(|found| *found == word).map_or(words.len(), |at| at + 1);
    words[at..].iter().map(|word| (*word).to_owned()).collect()
}

fn last_part(package: &str) -> &str {
    package.rsplit(['/', ':']).next().unwrap_or(package)
}

/// Whether `version` is one and no range: `1.2.3`, `2026.8.31`, `1.0.0-beta.2`.
fn is_exact(version: &str) -> bool {
    let (core, _) = version.split_once(['-', '+']).unwrap_or((version, ""));
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fetches_is_known_with_what_to_install_instead() {
        for (line, package, program, exact, arguments) in [
            (
                "npx -y @modelcontextprotocol/server-memory",
                "@modelcontextprotocol/server-memory",
                "mcp-server-memory",
                false,
                "",
            ),
            (
                "npx -y @modelcontextprotocol/server-memory@latest --x",
                "@modelcontextprotocol/server-memory@latest",
                "mcp-server-memory",
                false,
                "--x",
            ),
            (
                "npx -y @modelcontextprotocol/server-memory@2026.8.31",
                "@modelcontextprotocol/server-memory@2026.8.31",
                "mcp-server-memory",
                true,
                "",
            ),
            ("/usr/bin/npx some-server@^1.2.0", "some-server@^1.2.0", "some-server", false, ""),
            ("npx.cmd some-server@1", "some-server@1", "some-server", false, ""),
            ("npx -p @a/b@1.0.0 b-server", "@a/b@1.0.0", "b", true, "b-server"),
            ("npm exec --yes some-server", "some-server", "some-server", false, ""),
            ("pnpm dlx some-server", "some-server", "some-server", false, ""),
            ("bunx some-server", "some-server", "some-server", false, ""),
            ("uvx kagimcp", "kagimcp", "kagimcp", false, ""),
            ("uvx kagimcp@latest", "kagimcp@latest", "kagimcp", false, ""),
            ("uvx kagimcp==1.0.2", "kagimcp==1.0.2", "kagimcp", true, ""),
            (
                "uvx --from git+https://example.com/x serve --port 1",
                "git+https://example.com/x",
                "serve",
                false,
                "--port 1",
            ),
            ("uv tool run kagimcp", "kagimcp", "kagimcp", false, ""),
            ("pipx run kagimcp", "kagimcp", "kagimcp", false, ""),
            ("docker run -i --rm -e KEY mcp/memory", "mcp/memory", "memory", false, ""),
            ("docker run -i mcp/memory:latest", "mcp/memory:latest", "memory", false, ""),
            ("docker run -i mcp/memory@sha256:abc", "mcp/memory@sha256:abc", "memory", true, ""),
            ("deno run -A npm:some-server@1.0.0", "npm:some-server@1.0.0", "some-server@1.0.0", true, ""),
            ("bash -c 'npx -y some-server'", "some-server", "some-server", false, ""),
            ("env FOO=1 npx -y some-server", "some-server", "some-server", false, ""),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let found = fetching(&words[0], &words[1..]).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.package.as_str(), found.program.as_str()), (package, program), "{line}");
            assert_eq!((found.exact, found.arguments.join(" ").as_str()), (exact, arguments), "{line}");
            assert!(found.why().contains("install"), "{line}");
        }
        for line in [
            "mcp-server-memory",
            "/opt/kagi/bin/kagimcp --verbose",
            "node server.js",
            "python3 -m server",
            "uv pip",
            "docker ps",
            "bash start.sh",
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(fetching(&words[0], &words[1..]), None, "{line}");
        }
    }
}
