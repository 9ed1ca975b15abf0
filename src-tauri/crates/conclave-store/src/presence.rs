//! Whether somebody is there to answer: a window or a terminal of any process that uses this database.
//!
//! Each such face keeps a file `<database>.person-<n>` locked alone while it is open; whoever looks tries to share the
//! lock, so that those who look are not taken for a face. The kernel drops a lock when its process ends, however it
//! ends, so nobody is believed to be there who is gone.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;

use crate::db::{Store, beside, private};
use crate::error::{Result, StoreError};

/// How many faces can be told from nobody; the files are kept for the next ones.
const FACES: u32 = 32;

/// A face with a person at it; dropping it says that they have left.
#[derive(Debug)]
pub struct Presence {
    _lock: File,
}

impl Store {
    /// Says that a person is there from now on, until what comes back is dropped.
    ///
    /// # Errors
    /// [`StoreError::Io`] when a file beside the database cannot be opened, [`StoreError::Busy`] when too many faces are
    /// open.
    pub fn person_arrives(&self) -> Result<Presence> {
        for path in (0..FACES).map(|n| self.face(n)) {
            let wrong = |error| StoreError::io(&path, &error);
            let lock =
                private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path).map_err(wrong)?;
            match lock.try_lock() {
                Ok(()) => return Ok(Presence { _lock: lock }),
                // Another face has it, or somebody looks just now.
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(wrong(error)),
            }
        }
        Err(StoreError::Busy)
    }

    /// Whether a person is at any face of any process; what cannot be found out is a no.
    pub fn person_is_there(&self) -> bool {
        (0..FACES)
            .map_while(|n| OpenOptions::new().write(true).open(self.face(n)).ok())
            .any(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn face(&self, n: u32) -> PathBuf {
        beside(self.path(), &format!(".person-{n}"))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::tests::fresh;

    #[test]
    fn those_who_look_do_not_take_each_other_for_a_person() {
        let (_folder, store) = fresh();
        drop(store.person_arrives().unwrap());
        let seen: u32 = thread::scope(|scope| {
            let look = || (0..200).map(|_| u32::from(store.person_is_there())).sum::<u32>();
            let lookers: Vec<_> = (0..4).map(|_| scope.spawn(look)).collect();
            lookers.into_iter().map(|looker| looker.join().unwrap()).sum()
        });
        assert_eq!(seen, 0);
    }

    #[test]
    fn a_person_is_there_as_long_as_any_face_is() {
        let (_folder, store) = fresh();
        assert!(!store.person_is_there());
        let window = store.person_arrives().unwrap();
        assert!(store.person_is_there());
        let terminal = store.person_arrives().unwrap();
        drop(window);
        assert!(store.person_is_there() && store.clone().person_is_there());
        drop(terminal);
        assert!(!store.person_is_there());
        let _again = store.person_arrives().unwrap();
        assert!(store.person_is_there());
    }
}
