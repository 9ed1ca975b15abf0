//! The system calls that a sandboxed program does not get, as a second layer behind the namespaces.
//!
//! Most of them need a privilege that the program does not have anyway; they are refused because they are where
//! kernels have been broken, and because a few (sockets to the hypervisor, keyrings) are not held back by a namespace.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};

/// Refused with `EPERM`, whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// What a new process may not have of its own.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// The kinds of socket that may be made by a program that may talk to itself; all of them end inside the sandbox.
const SOCKETS: [libc::c_int; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// Where the numbers begin of the calls that x86-64 has a second time, for programs with short pointers.
const SECOND_NUMBERS: u32 = 0x4000_0000;

/// The filters as the kernel takes them, in bytes; `None` on a processor that they cannot be built for.
pub(super) fn bytes(loopback: bool) -> Option<[Vec<u8>; 2]> {
    Some([refused(loopback)?, unknown()].map(|program| {
        let words = program.iter().flat_map(|one| {
            let [low, high] = one.code.to_ne_bytes();
            let k = one.k.to_ne_bytes();
            [low, high, one.jt, one.jf, k[0], k[1], k[2], k[3]]
        });
        words.collect()
    }))
}

fn refused(loopback: bool) -> Option<BpfProgram> {
    let is_other = |family: &libc::c_int| condition(SeccompCmpOp::Ne, *family);
    let rule = |conditions: Option<Vec<_>>| SeccompRule::new(conditions?).ok();
    let other_socket = rule(SOCKETS.iter().map(is_other).collect())?;
    let other_pair = rule(Some(vec![is_other(&libc::AF_UNIX)?]))?;
    let has_own = |what: &libc::c_int| {
        let bits = u64::try_from(*what).ok()?;
        rule(Some(vec![condition(SeccompCmpOp::MaskedEq(bits), *what)?]))
    };
    let mut rules: std::collections::BTreeMap<_, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, if loopback { vec![other_socket] } else { Vec::new() });
    rules.insert(libc::SYS_socketpair, vec![other_pair]);
    rules.insert(libc::SYS_clone, NAMESPACES.iter().map(has_own).collect::<Option<_>>()?);
    let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM).ok()?);
    let processor = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor).ok()?.try_into().ok()
}

/// A condition on the first argument.
fn condition(compare: SeccompCmpOp, with: libc::c_int) -> Option<SeccompCondition> {
    SeccompCondition::new(0, SeccompCmpArgLen::Dword, compare, u64::try_from(with).ok()?).ok()
}

/// Calls that are answered as by a kernel that never heard of them, so that programs use the older ones, whose arguments
/// the other filter can see: starting a process by a structure in memory, and every call by its second number.
fn unknown() -> BpfProgram {
    let instruction = |code: u32, jt, jf, k| sock_filter { code: u16::try_from(code).unwrap_or_default(), jt, jf, k };
    let jump = |compare: u32, k, jt| instruction(libc::BPF_JMP | compare | libc::BPF_K, jt, 0, k);
    let answer = |k| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, k);
    let no_such_call = u32::try_from(libc::ENOSYS).unwrap_or_default();
    vec![
        // The number of the call is what comes first.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        jump(libc::BPF_JGE, SECOND_NUMBERS, 2),
        jump(libc::BPF_JEQ, u32::try_from(libc::SYS_clone3).unwrap_or_default(), 1),
        answer(libc::SECCOMP_RET_ALLOW),
        answer(libc::SECCOMP_RET_ERRNO | no_such_call),
    ]
}
