//! Ways out of the sandbox. Each prints `ESCAPED` where it succeeds; those that can be tried safely are also tried
//! outside, where they must succeed, so that a probe which tests nothing shows.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;

use rustix::fs::{Mode, OFlags};

use super::Arena;

enum Outside {
    /// Tried outside too, where it must succeed.
    Works,
    /// Needs a privilege, a device or a network that the machine may not have, or would change the machine.
    Untried,
}
use Outside::{Untried, Works};

#[tokio::test]
async fn there_is_no_way_out() {
    let Some(arena) = Arena::new() else { return };
    arena.plant("home/.ssh/id_ed25519", "a key");
    arena.plant("project/main.py", "the project itself");
    std::os::unix::fs::symlink(arena.at("home/.ssh/id_ed25519"), arena.at("tree/link")).unwrap();
    let tcp4 = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp6 = TcpListener::bind("[::1]:0").ok();
    let path_socket = UnixListener::bind(arena.at("home/agent.sock")).unwrap();
    let name = format!("conclave-probe-{}", std::process::id());
    let abstract_socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let outside = arena.at("");
    let outside = outside.to_str().unwrap();
    let (port4, pid) = (tcp4.local_addr().unwrap().port(), std::process::id());
    let port6 = tcp6.as_ref().map_or(1, |listener| listener.local_addr().unwrap().port());
    let python = |code: &str| format!("python3 -c 'import socket,os,ctypes\n{code}\nprint(\"ESCAPED\")'");
    let then = |command: String| format!("{command} && echo ESCAPED");
    let open = |path: &str| then(format!("head -c 1 {path} >/dev/null"));
    let make = |path: &str| then(format!("echo x > {path}"));
    let socket = |family: &str, kind: &str| python(&format!("socket.socket({family}, {kind})"));
    let connect = |family: &str, address: &str| python(&format!("socket.socket({family}).connect({address})"));
    // Refused before anybody looks at the arguments, or not refused.
    let syscall = |number: u32| {
        python(&format!(
            "c=ctypes.CDLL(None,use_errno=True)\nc.syscall({number},0,0,0,0,0)\nassert ctypes.get_errno()!=1"
        ))
    };
    let new_user = format!("{},{}", libc::SYS_clone, libc::CLONE_NEWUSER | libc::SIGCHLD);
    let new_user = python(&format!("assert ctypes.CDLL(None).syscall({new_user},0,0,0,0)!=-1"));

    let probes = [
        // Reading what is not shown.
        ("a key in a home", Works, open(&format!("{outside}/home/.ssh/id_ed25519"))),
        ("a key through a link in the tree", Works, open(&format!("{outside}/tree/link"))),
        ("a key through a link in /scratch", Untried, open("/scratch/link")),
        ("the project itself", Works, open(&format!("{outside}/project/main.py"))),
        ("beside the tree", Untried, open("/scratch/../project/main.py")),
        (
            "a key through the first process's root",
            Untried,
            open(&format!("/proc/1/root{outside}/home/.ssh/id_ed25519")),
        ),
        ("accounts", Works, open("/etc/passwd")),
        ("passwords", Untried, open("/etc/shadow")),
        ("root's home", Untried, then("ls ~root/.profile ~root/.bashrc".to_owned())),
        ("anybody's home", Untried, then("ls -d /home/[!c]*".to_owned())),
        ("logs", Works, then("ls -d /var/log".to_owned())),
        ("sockets of services", Works, then("ls -d /run".to_owned())),
        ("the kernel's objects", Works, then("ls -d /sys/kernel".to_owned())),
        ("the kernel's memory", Untried, open("/proc/kcore")),
        ("the kernel's log", Untried, then("dmesg".to_owned())),
        (
            "disks and virtual machines",
            Untried,
            then("ls /dev/sda /dev/vda /dev/nvme0n1 /dev/kvm /dev/mem /dev/fuse | grep .".to_owned()),
        ),
        // Other processes.
        ("our environment", Works, open(&format!("/proc/{pid}/environ"))),
        ("our command line", Works, open(&format!("/proc/{pid}/cmdline"))),
        ("signalling us", Works, then(format!("kill -0 {pid}"))),
        ("the namespaces of another process", Works, then(format!("readlink /proc/{pid}/ns/net"))),
        ("entering a namespace", Untried, then("nsenter -t 1 -m true".to_owned())),
        ("tracing", Untried, python("assert ctypes.CDLL(None).ptrace(0,0,0,0)==0")),
        ("reading another process's memory", Untried, python("open(f\"/proc/{os.getppid()}/mem\",\"rb+\").read(1)")),
        // Writing.
        ("a start-up file of a shell", Untried, make(&format!("{outside}/home/.bashrc"))),
        ("a git hook of the project", Untried, make(&format!("{outside}/project/.git-hook"))),
        ("the system", Untried, make("/usr/conclave-probe")),
        ("a system program", Untried, make("/usr/local/bin/conclave-probe")),
        ("the root", Untried, make("/conclave-probe")),
        ("scheduled jobs", Untried, make("/etc/cron.d/conclave-probe")),
        ("libraries for the next run", Untried, make("/etc/ld.so.preload")),
        ("devices", Untried, make("/dev/conclave-probe")),
        ("a hard link to a system program", Untried, then("ln /usr/bin/env /scratch/hard".to_owned())),
        ("the handler of core dumps", Untried, make("/proc/sys/kernel/core_pattern")),
        ("the host name", Untried, make("/proc/sys/kernel/hostname")),
        ("the magic keys", Untried, make("/proc/sysrq-trigger")),
        ("our own user mapping", Untried, then("echo 0 0 1 > /proc/self/uid_map".to_owned())),
        ("the clock", Untried, then("date -s 2000-01-01".to_owned())),
        // Network.
        ("a service of this machine", Works, connect("socket.AF_INET", &format!("(\"127.0.0.1\",{port4})"))),
        (
            "a service of this machine, IPv6",
            if tcp6.is_some() { Works } else { Untried },
            connect("socket.AF_INET6", &format!("(\"::1\",{port6})")),
        ),
        ("an abstract socket", Works, connect("socket.AF_UNIX", &format!("b\"\\0{name}\""))),
        ("a socket with a path", Works, connect("socket.AF_UNIX", &format!("\"{outside}/home/agent.sock\""))),
        ("a host elsewhere, TCP", Untried, connect("socket.AF_INET", "(\"192.0.2.1\",80)")),
        (
            "a host elsewhere, UDP",
            Untried,
            python("socket.socket(socket.AF_INET,socket.SOCK_DGRAM).sendto(b\"x\",(\"192.0.2.1\",53))"),
        ),
        (
            "a host elsewhere, UDP over IPv6",
            Untried,
            python("socket.socket(socket.AF_INET6,socket.SOCK_DGRAM).sendto(b\"x\",(\"2001:db8::1\",53))"),
        ),
        ("names", Untried, then("getent hosts example.com".to_owned())),
        ("a proxy from the environment", Untried, then("env | grep -i _proxy".to_owned())),
        ("another interface than the loop", Untried, then("tail -n +3 /proc/net/dev | grep -v ' lo:'".to_owned())),
        ("a route", Untried, then("tail -n +2 /proc/net/route | grep .".to_owned())),
        ("raw sockets", Untried, socket("socket.AF_INET", "socket.SOCK_RAW")),
        ("packet sockets", Untried, socket("socket.AF_PACKET", "socket.SOCK_RAW")),
        ("netlink", Works, socket("socket.AF_NETLINK", "socket.SOCK_RAW")),
        ("the hypervisor", Untried, socket("socket.AF_VSOCK", "socket.SOCK_STREAM")),
        ("Bluetooth", Untried, socket("31", "socket.SOCK_RAW")),
        // The kernel.
        ("a user namespace", Untried, then("unshare -U true".to_owned())),
        ("a mount namespace", Untried, then("unshare -m true".to_owned())),
        ("mounting", Untried, then("mount -t tmpfs none /tmp".to_owned())),
        ("mounting the system for writing", Untried, then("mount -o remount,rw /usr".to_owned())),
        ("unmounting", Untried, then("umount /scratch".to_owned())),
        ("another root", Untried, then("chroot /scratch true".to_owned())),
        ("a device node", Untried, then("mknod /tmp/node b 1 1".to_owned())),
        (
            "becoming root by a set-user-id copy",
            Untried,
            "cp /bin/sh /scratch/s; chmod 4755 /scratch/s; grep -q 'NoNewPrivs:.1' /proc/self/status || echo ESCAPED"
                .to_owned(),
        ),
        ("capabilities", Untried, then("grep -E 'Cap(Eff|Prm|Bnd):.*[1-9a-f]' /proc/self/status".to_owned())),
        ("io_uring", Untried, syscall(425)),
        ("a user namespace by the call itself", Untried, new_user),
        ("opening a tree of mounts", Works, syscall(428)),
        ("a new mount", Untried, syscall(430)),
        ("more memory than allowed", Untried, then("prlimit --as=unlimited true".to_owned())),
    ];
    assert!(probes.len() >= 60);
    for (name, outside, script) in probes {
        if matches!(outside, Works) {
            #[expect(clippy::disallowed_methods, reason = "what must work outside is tried outside")]
            let control = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert!(String::from_utf8_lossy(&control.stdout).contains("ESCAPED"), "outside: {name}: {control:?}");
        }
        let report = arena.shell(&script).await;
        let said = String::from_utf8_lossy(&report.stdout);
        assert!(!said.contains("ESCAPED"), "{name}: {said} {}", String::from_utf8_lossy(&report.stderr));
    }
    let planted = ["home/.bashrc", "project/.git-hook"];
    assert!(planted.iter().all(|path| !arena.at(path).exists()));
    assert!(
        ["/usr/conclave-probe", "/conclave-probe", "/etc/cron.d/conclave-probe", "/etc/ld.so.preload"]
            .iter()
            .all(|path| !std::path::Path::new(path).exists())
    );
    drop((tcp4, tcp6, path_socket, abstract_socket));
}

#[tokio::test]
async fn the_only_processes_in_sight_are_the_sandbox_s_own() {
    let Some(arena) = Arena::new() else { return };
    let report = arena.shell("for p in /proc/[0-9]*; do echo ${p#/proc/}; done").await;
    let mut seen: Vec<u32> =
        String::from_utf8_lossy(&report.stdout).lines().map(|line| line.parse().unwrap()).collect();
    seen.sort_unstable();
    assert!(seen.len() <= 3 && seen.iter().all(|pid| *pid < 10), "{seen:?}");
}

#[tokio::test]
async fn a_folder_that_somebody_left_open_is_no_door() {
    let Some(arena) = Arena::new() else { return };
    arena.plant("private/key", "a key");
    let script = "for folder in /proc/self/fd/*; do cat $folder/key; done";
    let left_open = rustix::fs::open(arena.at("private"), OFlags::DIRECTORY, Mode::empty()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "what must work outside is tried outside")]
    let control = Command::new("sh").args(["-c", script]).output().unwrap();
    assert_eq!(control.stdout, b"a key");
    assert_eq!(arena.shell(script).await.stdout, b"");
    drop(left_open);
}

#[tokio::test]
async fn namespaces_and_session_are_the_sandbox_s_own() {
    let Some(arena) = Arena::new() else { return };
    for name in ["user", "pid", "net", "ipc", "uts", "mnt"] {
        let link = format!("/proc/self/ns/{name}");
        let inside = arena.shell(&format!("readlink {link}")).await.stdout;
        let outside = fs::read_link(&link).unwrap();
        assert!(inside.starts_with(name.as_bytes()), "{inside:?}");
        assert_ne!(String::from_utf8_lossy(&inside).trim(), outside.to_string_lossy(), "{name}");
    }
    // A session that was begun outside has no number here.
    let session = arena.shell("cut -d' ' -f6 /proc/self/stat").await.stdout;
    assert_ne!(session, b"0\n");
}

#[tokio::test]
async fn what_one_run_leaves_in_its_own_folders_the_next_does_not_see() {
    let Some(arena) = Arena::new() else { return };
    let left =
        arena.shell("echo x > $HOME/.profile; echo x > /tmp/t; echo x > /dev/shm/s; ls -A $HOME /tmp /dev/shm").await;
    assert!(String::from_utf8_lossy(&left.stdout).contains(".profile"), "{left:?}");
    let seen = arena.shell("ls -A $HOME /tmp /dev/shm | grep -v :; true").await;
    assert_eq!(String::from_utf8_lossy(&seen.stdout).trim(), "");
}
