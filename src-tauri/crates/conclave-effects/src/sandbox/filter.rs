//! The system calls that a sandboxed program does not get, as a second layer behind the namespaces.
//!
//! Most of them need a privilege that the program does not have anyway; they are refused because they are where
//! kernels have been broken, and because a few (sockets to the hypervisor, keyrings) are not held back by a namespace.

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Refused with `EPERM`, whatever the arguments.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// The kinds of socket that may be made; all of them end inside the sandbox.
const SOCKETS: [libc::c_int; 3] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6];

/// The filter as the kernel takes it, in bytes; `None` on a processor that it cannot be built for.
pub(super) fn bytes() -> Option<Vec<u8>> {
    let program = program()?;
    let instructions = program.iter().flat_map(|one| {
        let [low, high] = one.code.to_ne_bytes();
        let k = one.k.to_ne_bytes();
        [low, high, one.jt, one.jf, k[0], k[1], k[2], k[3]]
    });
    Some(instructions.collect())
}

fn program() -> Option<BpfProgram> {
    let is_not = |family: &libc::c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, u64::try_from(*family).ok()?).ok()
    };
    let other_socket = SeccompRule::new(SOCKETS.iter().map(is_not).collect::<Option<Vec<_>>>()?).ok()?;
    let mut rules: std::collections::BTreeMap<_, _> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, vec![other_socket]);
    let refuse = SeccompAction::Errno(u32::try_from(libc::EPERM).ok()?);
    let processor = std::env::consts::ARCH.try_into().ok()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor).ok()?.try_into().ok()
}
