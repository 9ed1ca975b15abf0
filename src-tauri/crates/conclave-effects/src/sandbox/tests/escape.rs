//! Ways out of the sandbox. Each prints `ESCAPED` where it succeeds; those that can be tried safely are also tried
//! outside, where they must succeed, so that a probe which tests nothing shows.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use super::super::{Limits, RunCommand, run};
use super::{Arena, LIMITS};
use crate::gate::tests::permit;

enum Outside {
    /// Tried outside too, where it must succeed.
    Works,
    /// Needs a privilege, a device or a network that the machine may not have, or would change the machine.
    Untried,
}
use Outside::{Untried, Works};

/// What must be as it was when everything was tried.
const CANARIES: [(&str, &str); 5] = [
    ("home/.config/autostart/there", "started"),
    ("home/.ssh/id_ed25519", "a key"),
    ("home/.profile", "start"),
    ("project/main.py", "the project itself"),
    ("project/git/hooks/there", "a hook"),
];

/// What must not be there then, beneath our folder and elsewhere.
const MADE: [&str; 5] =
    ["home/.bashrc", "home/.config/autostart/x.desktop", "project/.git-hook", "project/git/hooks/missing", "elsewhere"];
const MADE_ELSEWHERE: [&str; 6] = [
    "/usr/conclave-probe",
    "/usr/local/bin/conclave-probe",
    "/conclave-probe",
    "/etc/cron.d/conclave-probe",
    "/etc/ld.so.preload",
    "/var/tmp/conclave-probe",
];

#[tokio::test]
async fn there_is_no_way_out() {
    let Some(arena) = Arena::new() else { return };
    CANARIES.iter().for_each(|(path, content)| arena.plant(path, content));
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
    tcp4.set_nonblocking(true).unwrap();
    let reached = || std::iter::from_fn(|| tcp4.accept().ok()).count();
    let python = |code: &str| format!("python3 -c 'import socket,os,ctypes\n{code}\nprint(\"ESCAPED\")'");
    let then = |command: String| format!("{command} && echo ESCAPED");
    let open = |path: &str| then(format!("head -c 1 {path} >/dev/null"));
    let make = |path: &str| then(format!("echo x > {path}"));
    let socket = |family: &str, kind: &str| python(&format!("socket.socket({family}, {kind})"));
    let connect = |family: &str, address: &str| python(&format!("socket.socket({family}).connect({address})"));
    // Refused before anybody looks at the arguments, or not refused.
    let syscall = |number: libc::c_long| {
        python(&format!(
            "c=ctypes.CDLL(None,use_errno=True)\nc.syscall({number},0,0,0,0,0)\nassert ctypes.get_errno() not in (1,38)"
        ))
    };
    let new = |what: libc::c_int| {
        let words = format!("{},{}", libc::SYS_clone, what | libc::SIGCHLD);
        python(&format!("assert ctypes.CDLL(None).syscall({words},0,0,0,0)!=-1"))
    };

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
        ("a start-up file that is there", Untried, then(format!("echo x >> {outside}/home/.profile"))),
        (
            "a program that starts with the session",
            Untried,
            make(&format!("{outside}/home/.config/autostart/x.desktop")),
        ),
        ("a hook that is there", Untried, then(format!("echo x >> {outside}/project/git/hooks/there"))),
        ("a hook that is missing", Untried, make(&format!("{outside}/project/git/hooks/missing"))),
        ("an ancestor of the project, renamed", Untried, then(format!("mv {outside}/project {outside}/elsewhere"))),
        ("the tree, renamed", Untried, then("mv /scratch /elsewhere".to_owned())),
        ("removing the project", Untried, then(format!("rm {outside}/project/main.py"))),
        ("a hard link to a key", Untried, then(format!("ln {outside}/home/.ssh/id_ed25519 /scratch/key"))),
        ("a folder of everybody's", Works, make("/var/tmp/conclave-probe && rm /var/tmp/conclave-probe")),
        ("our own program in the sandbox", Untried, make("/.conclave-guest")),
        ("our own program by way of a process", Untried, make("/proc/1/exe")),
        ("the kernel's settings", Untried, make("/proc/sys/vm/overcommit_memory")),
        ("the kernel's objects, for writing", Untried, make("/sys/kernel/uevent_helper")),
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
        (
            "a proxy that the environment names",
            Works,
            format!(
                "http_proxy=http://127.0.0.1:{port4} {}",
                python(
                    "import urllib.request as u,socket as s\ns.setdefaulttimeout(1)\ntry: u.urlopen(\"http://example.invalid/\")\nexcept (TimeoutError,s.timeout): pass\nexcept OSError as e: assert \"timed out\" in str(e)"
                )
            ),
        ),
        (
            "a name with a null in it",
            Untried,
            python(&format!("socket.create_connection((\"127.0.0.1\\0.evil.example\",{port4}))")),
        ),
        ("the relay of another program", Untried, connect("socket.AF_UNIX", "\"/run/conclave/relay\"")),
        (
            "a service by another of its addresses",
            Works,
            connect("socket.AF_INET", &format!("(\"127.9.9.9\",{port4})")).replace("127.9.9.9", "0.0.0.0"),
        ),
        ("the message bus", Untried, then("ls /run/dbus/system_bus_socket /run/user/*/bus | grep .".to_owned())),
        (
            "the container engine",
            Untried,
            then("ls /run/docker.sock /var/run/docker.sock /run/containerd/containerd.sock | grep .".to_owned()),
        ),
        ("the display", Untried, then("ls /tmp/.X11-unix/* /run/user/*/wayland-* | grep .".to_owned())),
        ("the display, by its abstract socket", Untried, connect("socket.AF_UNIX", "b\"\\0/tmp/.X11-unix/X0\"")),
        (
            "addresses of agents and buses in the environment",
            Untried,
            then("env | grep -E 'DBUS|DISPLAY|WAYLAND|SSH_|GPG|XDG|DOCKER|TOKEN|KEY'".to_owned()),
        ),
        ("what our parent had open", Untried, then("ls /proc/self/fd | grep -vx '[0-3]'".to_owned())),
        ("the terminal", Untried, open("/dev/tty")),
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
        ("a file system of control groups", Untried, then("mount -t cgroup2 none /tmp".to_owned())),
        ("the whole machine in a folder", Untried, then("mkdir -p /tmp/all && mount --bind / /tmp/all".to_owned())),
        ("io_uring", Untried, syscall(libc::SYS_io_uring_setup)),
        ("a user namespace by the call itself", Untried, new(libc::CLONE_NEWUSER)),
        ("a network namespace by the call itself", Untried, new(libc::CLONE_NEWNET)),
        ("a user namespace by the newer call", Untried, syscall(libc::SYS_clone3)),
        ("entering a namespace by the call itself", Untried, syscall(libc::SYS_setns)),
        ("opening a tree of mounts", Works, syscall(libc::SYS_open_tree)),
        ("a new mount", Untried, syscall(libc::SYS_fsopen)),
        ("a file by its number", Untried, syscall(libc::SYS_open_by_handle_at)),
        ("keys of the kernel", Works, syscall(libc::SYS_keyctl)),
        ("a key for the kernel", Works, syscall(libc::SYS_add_key)),
        ("programs in the kernel", Untried, syscall(libc::SYS_bpf)),
        ("counters of the processor", Untried, syscall(libc::SYS_perf_event_open)),
        ("faults handled by the program", Untried, syscall(libc::SYS_userfaultfd)),
        ("another process's memory by the call", Works, syscall(libc::SYS_process_vm_readv)),
        ("another process's files", Untried, syscall(libc::SYS_pidfd_getfd)),
        ("watching all files", Untried, syscall(libc::SYS_fanotify_init)),
        ("another kernel", Untried, syscall(libc::SYS_kexec_load)),
        ("a call by its second number", Untried, syscall(0x4000_0000 | libc::SYS_getpid)),
        ("more memory than allowed", Untried, then("prlimit --as=unlimited true".to_owned())),
    ];
    let tried = probes.len();
    assert!(tried >= 60);
    for (number, (name, outside, script)) in probes.iter().enumerate() {
        if matches!(outside, Works) {
            #[expect(clippy::disallowed_methods, reason = "what must work outside is tried outside")]
            let control = Command::new("sh").args(["-c", script]).output().unwrap();
            assert!(String::from_utf8_lossy(&control.stdout).contains("ESCAPED"), "outside: {name}: {control:?}");
        }
        arena.plant(&format!("tree/probes/{number}"), script);
    }
    reached();
    // What may talk to itself is held by one layer less.
    let all = "for probe in probes/*; do timeout 10 sh $probe 2>&1 | sed \"s:^:${probe#*/} :\"; echo \"${probe#*/} tried\"; done";
    let limits = Limits { wall: Duration::from_secs(300), ..LIMITS };
    let command = RunCommand { loopback: true, limits, ..arena.command(&["sh", "-c", all]) };
    let report = run(permit(command).await).await.unwrap();
    let said = String::from_utf8_lossy(&report.stdout);
    assert_eq!(said.lines().filter(|line| line.ends_with(" tried")).count(), tried, "{report:?}");
    let escaped: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split_once(' ').filter(|(_, said)| said.contains("ESCAPED")))
        .map(|(number, _)| probes[number.parse::<usize>().unwrap()].0)
        .collect();
    println!("{} of {tried} probes escaped", escaped.len());
    assert_eq!(escaped, [""; 0]);
    assert_eq!(reached(), 0, "somebody reached a service of this machine");
    for (path, content) in CANARIES {
        assert_eq!(fs::read_to_string(arena.at(path)).unwrap(), content, "{path}");
    }
    assert!(MADE.iter().all(|path| !arena.at(path).exists()));
    assert!(MADE_ELSEWHERE.iter().all(|path| !std::path::Path::new(path).exists()));
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
