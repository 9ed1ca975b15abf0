//! A session with a real keyring of its own: a bus, and a Secret Service behind it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ends with its bus when dropped.
pub struct Session {
    bus: Child,
    address: String,
    home: PathBuf,
}

impl Session {
    /// Starts one that keeps its files below `folder`; `None`, said aloud, where the programs for it are missing.
    pub fn start(folder: &Path) -> Option<Self> {
        let session = Self::bus(folder)?;
        let mut command = Command::new("gnome-keyring-daemon");
        session.give(&mut command);
        // It goes to the background once it can be asked.
        let keyring =
            command.args(["--unlock", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        let mut keyring = match keyring {
            Ok(keyring) => keyring,
            Err(error) => {
                println!("skipped: no gnome-keyring-daemon: {error}");
                return None;
            }
        };
        keyring.stdin.take().expect("its input").write_all(b"a password").expect("the password is taken");
        assert!(keyring.wait().expect("it ends").success(), "the keyring does not start");
        Some(session)
    }

    /// A bus without anything on it.
    pub fn bus(folder: &Path) -> Option<Self> {
        let bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut bus = match bus {
            Ok(bus) => bus,
            Err(error) => {
                println!("skipped: no dbus-daemon: {error}");
                return None;
            }
        };
        let mut address = String::new();
        BufReader::new(bus.stdout.take().expect("its output")).read_line(&mut address).expect("its address");
        let home = folder.join("keyring");
        std::fs::create_dir_all(home.join("run")).expect("a folder");
        Some(Self { bus, address: address.trim().to_owned(), home })
    }

    /// Has `command` use this session.
    pub fn give(&self, command: &mut Command) {
        command
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HOME", &self.home)
            .env("XDG_RUNTIME_DIR", self.home.join("run"))
            .env_remove("XDG_DATA_HOME");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}
