//! Which connections a program and all that it starts attempt, as the kernel sees them.
//!
//! A name look-up counts as well: it is a datagram, or a message to the system's resolver. Connections within the
//! machine that are no network (the display, the session bus) do not count.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// The system calls by which something can leave.
const CALLS: &str = "trace=connect,sendto,sendmsg,sendmmsg";

/// Sockets of the system's resolvers, by a part of their path. The one of `nscd` is asked about users as well, so it is
/// not among them; without it a name is looked up by a datagram, which counts.
const RESOLVERS: &[&str] = &["systemd.resolve", "io.systemd.Resolve", "resolve/io.systemd"];

/// `program`, recorded into `record`.
pub fn traced(program: &Path, record: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["--follow-forks", "--seccomp-bpf", "-qq", "-e", CALLS, "-o"]).arg(record).arg(program);
    command
}

/// A script that starts `program` with its arguments, recorded into `record`; beside it, with the ending `driver`, it
/// leaves the address through which a driver steers the page.
pub fn script(program: &Path, record: &Path) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    let driver = quoted(&record.with_extension("driver"));
    let (program, record) = (quoted(program), quoted(record));
    format!(
        "#!/bin/sh\nprintf %s \"$WEBKIT_INSPECTOR_SERVER\" >{driver}\nexec strace --follow-forks --seccomp-bpf -qq -e {CALLS} -o {record} {program} \"$@\"\n"
    )
}

/// The attempts in `record`, each as strace writes it.
pub fn attempts(record: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(record).with_context(|| format!("there is no record `{}`", record.display()))?;
    Ok(String::from_utf8_lossy(&bytes).lines().filter(|line| leaves(line)).map(str::to_owned).collect())
}

fn leaves(line: &str) -> bool {
    let network = line.contains("sa_family=AF_INET,") || line.contains("sa_family=AF_INET6,");
    let resolver = line.contains("sa_family=AF_UNIX") && RESOLVERS.iter().any(|name| line.contains(name));
    network || resolver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_is_told_from_what_stays() {
        for (line, expect) in [
            (r#"7 connect(9, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("1.2.3.4")}, 16) = 0"#, true),
            (r#"7 connect(9, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0)}, 28) = 0"#, true),
            (r#"7 sendto(9, "..", 33, 0, {sa_family=AF_INET, sin_port=htons(53)}, 16) = 33"#, true),
            (r#"7 connect(9, {sa_family=AF_UNIX, sun_path="/run/systemd/resolve/io.systemd.Resolve"}, 42) = 0"#, true),
            (r#"7 connect(9, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT"#, false),
            (r#"7 connect(9, {sa_family=AF_UNIX, sun_path=@"/tmp/.X11-unix/X99"}, 20) = 0"#, false),
            (r#"7 sendmsg(9, {msg_name={sa_family=AF_NETLINK, nl_pid=0}, msg_namelen=12}, 0) = 20"#, false),
            (r#"7 sendto(9, "AF_INET6", 8, 0, NULL, 0) = 8"#, false),
        ] {
            assert_eq!(leaves(line), expect, "{line}");
        }
    }

    #[test]
    fn a_script_quotes_its_paths() {
        let script = script(Path::new("/a b/it's"), Path::new("/r"));
        assert!(script.contains(r"'/r' '/a b/it'\''s' "), "{script}");
    }
}
