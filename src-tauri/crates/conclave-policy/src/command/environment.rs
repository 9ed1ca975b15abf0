//! Variables that a command is given, by name: which change what runs, and which change nothing but how it looks.

use super::{Uninspectable, no};

/// Variables that choose programs, libraries, options or configuration of what is started, so that a command with one of
/// them is not the command that its words say. A trailing `*` stands for any ending.
#[rustfmt::skip]
const CHOOSE_CODE: &[&str] = &[
    "ALL_PROXY",
    "AR",
    "AS",
    "AWKPATH",
    "AWS_*",
    "BASH*",
    "BASHOPTS",
    "BAT_*",
    "BROWSER",
    "BUNDLE_*",
    "CARGO*",
    "CC",
    "CDPATH",
    "CFLAGS",
    "CLASSPATH",
    "COMPOSER_*",
    "CPATH",
    "CPP",
    "CPPFLAGS",
    "CURL_HOME",
    "CXX",
    "CXXFLAGS",
    "DOCKER_*",
    "DOTNET_*",
    "DYLD_*",
    "EDITOR",
    "ENV",
    "EXINIT",
    "FCEDIT",
    "FPATH",
    "FZF_*",
    "GCC_*",
    "GCONV_PATH",
    "GEM_*",
    "GIT_*",
    "GOFLAGS",
    "GOPATH",
    "GOPROXY",
    "GOROOT",
    "GOTOOLCHAIN",
    "GRADLE_*",
    "GREP_OPTIONS",
    "HISTFILE",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "INPUTRC",
    "JAVA_*",
    "JDK_*",
    "JULIA_*",
    "KUBECONFIG",
    "LD",
    "LDFLAGS",
    "LD_*",
    "LESS*",
    "LIBRARY_PATH",
    "LOCPATH",
    "LUA_*",
    "MAKE*",
    "MANPAGER",
    "MANPATH",
    "MAVEN_*",
    "MODULE_PATH",
    "NLSPATH",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "NODE_PATH",
    "NPM_*",
    "NULLCMD",
    "OLDPWD",
    "OPENSSL_*",
    "PAGER",
    "PATH",
    "PERL*",
    "PHP*",
    "PIP_*",
    "PKG_CONFIG*",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS3",
    "PS4",
    "PWD",
    "PYTEST_*",
    "PYTHON*",
    "READNULLCMD",
    "RIPGREP_CONFIG_PATH",
    "RSYNC_*",
    "RUBY*",
    "RUSTC*",
    "RUSTDOC*",
    "RUSTFLAGS",
    "RUSTUP_*",
    "R_*",
    "SHELL",
    "SHELLOPTS",
    "SSH_*",
    "SSL_*",
    "SUDO_*",
    "SYSTEMD_*",
    "TAR_OPTIONS",
    "TERMINFO*",
    "TMPDIR",
    "UV_*",
    "VIM*",
    "VISUAL",
    "WGETRC",
    "XDG_*",
    "YARN_*",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
    "all_proxy",
    "cdpath",
    "fpath",
    "http_proxy",
    "https_proxy",
    "module_path",
    "npm_*",
    "path",
];

/// Variables that change how something is written or how much is said, and start nothing.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "LINES",
    "NODE_ENV",
    "NO_COLOR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "TERM",
    "TZ",
];

fn listed(name: &str, table: &[&str]) -> bool {
    table.iter().any(|entry| match entry.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *entry,
    })
}

/// Whether a command is no less harmless for having the variable `name` set.
pub(super) fn harmless(name: &str) -> bool {
    listed(name, HARMLESS)
}

/// Refuses a variable that changes what runs.
pub(super) fn assignable(name: &str) -> Result<(), Uninspectable> {
    if !harmless(name) && listed(name, CHOOSE_CODE) {
        return no(format!("the variable `{name}` changes what runs; leave it out"));
    }
    Ok(())
}

/// Whether `text` can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
