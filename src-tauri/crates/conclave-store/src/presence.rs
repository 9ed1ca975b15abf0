//! Whether somebody is there to answer: a window or a terminal of any process that uses this database.
//!
//! Each such face keeps `<database>.person` locked while it is open. The kernel drops the lock when its process ends,
//! however it ends, so nobody is believed to be there who is gone.

use std::fs::{File, OpenOptions, TryLockError};

use crate::db::{Store, beside, private};
use crate::error::{Result, StoreError};

/// A face with a person at it; dropping it says that they have left.
#[derive(Debug)]
pub struct Presence {
    _lock: File,
}

impl Store {
    /// Says that a person is there from now on, until what comes back is dropped.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file beside the database cannot be opened or locked.
    pub fn person_arrives(&self) -> Result<Presence> {
        let path = beside(self.path(), ".person");
        let wrong = |error| StoreError::io(&path, &error);
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path).map_err(wrong)?;
        // Whoever looks holds it alone for a moment.
        lock.lock_shared().map_err(wrong)?;
        Ok(Presence { _lock: lock })
    }

    /// Whether a person is at any face of any process; what cannot be found out is a no.
    pub fn person_is_there(&self) -> bool {
        let file = OpenOptions::new().write(true).open(beside(self.path(), ".person"));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::fresh;

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
