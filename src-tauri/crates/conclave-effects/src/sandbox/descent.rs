//! From root to nobody.
//!
//! Root would keep privileges in the sandbox that no namespace takes away: it is exempt from the limit on processes,
//! and it owns the machine's own switches. So before the sandbox is built, root becomes nobody; and because nobody
//! reaches no folder of root's, the folders that the sandbox shows are first put where it can.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Uid};

use super::SandboxError;
use super::bubblewrap::{arguments, unavailable};
use super::mounts::Mount;

/// The programs by which root becomes nobody.
#[derive(Clone, Debug)]
pub(super) struct Descent {
    pub unshare: PathBuf,
    pub setpriv: PathBuf,
    pub nobody: (Uid, Gid),
}

/// Shows each source, up to `--`, under a number in the folder `$1`, and becomes the rest of the line. Whether it may
/// be written is decided by the sandbox; here it is only put where nobody can reach it.
const STAGE: &str = r#"
stage=$1; shift
mount -t tmpfs -o mode=0755,size=1m none "$stage" || exit
number=0
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mkdir "$stage/$number"; else : > "$stage/$number"; fi || exit
    mount --bind "$1" "$stage/$number" || exit
    number=$((number + 1)); shift
done
shift
exec "$@"
"#;

impl Descent {
    /// Shows the mounts where nobody can reach them, in a mount namespace of its own, and drops root there. Gives the
    /// mounts as they are to be found from then on.
    ///
    /// Each program of the line becomes the next one, so that what is started stays our own child: between root and
    /// nobody the kernel would not pass on the death of a parent that has given up its privileges.
    pub(super) fn begin(&self, line: &mut Vec<OsString>, mounts: Vec<Mount>) -> Result<Vec<Mount>, SandboxError> {
        let hides_nothing =
            |stage: &&&str| Path::new(stage).is_dir() && !mounts.iter().any(|mount| mount.host.starts_with(stage));
        let stage = ["/mnt", "/media", "/srv", "/tmp"].iter().find(hides_nothing);
        let stage = stage.ok_or_else(|| unavailable("there is no folder to show the work in".to_owned()))?;
        line.push(self.unshare.clone().into());
        line.extend(arguments(["--mount", "--", "/bin/sh", "-c", STAGE, "stage", stage]));
        line.extend(mounts.iter().map(|mount| mount.host.clone().into()));
        line.push("--".into());
        line.push(self.setpriv.clone().into());
        let (user, group) = self.nobody;
        let (user, group) = (format!("--reuid={user}"), format!("--regid={group}"));
        line.extend(arguments([&user, &group, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]));
        // A change of user makes the kernel forget with whom this process dies, so it is said again.
        line.extend(arguments(["--pdeathsig", "KILL", "--"]));
        let staged = mounts.into_iter().enumerate();
        Ok(staged.map(|(number, mount)| Mount { host: Path::new(stage).join(number.to_string()), ..mount }).collect())
    }
}
