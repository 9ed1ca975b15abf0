//! The one connection that writes, and the jobs that wait for it.
//!
//! Most writes take the connection, run one transaction and give it back. Those that come many at a time are handed
//! over as jobs: whoever has the connection runs all that wait in one transaction, so that a hundred of them cost one
//! wait for the disk. Nobody waits for company: a job that is alone is a transaction of its own.
//!
//! Invariants: a job that fails takes back only what it did itself; nobody is told of success before the transaction is
//! durable; what was handed over before a write is written before it; everything handed over is written before the
//! connection ends.

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError, mpsc};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::db::{held, note_damage, suspect};
use crate::error::{Result, StoreError};

/// The most jobs in one transaction, so that other processes get their turn.
const GROUP: usize = 512;

/// The connection that writes. Its end waits for what was handed over.
pub(crate) struct Writer(Arc<Shared>);

struct Shared {
    path: PathBuf,
    connection: Mutex<Connection>,
    queue: Mutex<Queue>,
    news: Condvar,
    // It ends after the connection: while there is one, the lock says that somebody is here.
    _here: File,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Runs what is handed over; it begins with the first job.
    thread: Option<JoinHandle<()>>,
    ends: bool,
}

/// Does its work in the transaction that has begun, or learns why none has.
type Job = Box<dyn FnOnce(Result<&Transaction<'_>>) -> Ran + Send>;

/// What a job came to, before it is known whether its transaction is durable.
struct Ran {
    failure: Option<StoreError>,
    /// Tells whoever waits for it, once that is known.
    tell: Box<dyn FnOnce(Result<()>) + Send>,
}

impl Writer {
    pub(crate) fn new(path: PathBuf, connection: Connection, here: File) -> Self {
        Self(Arc::new(Shared {
            path,
            connection: Mutex::new(connection),
            queue: Mutex::default(),
            news: Condvar::new(),
            _here: here,
        }))
    }

    /// Runs `work` in a transaction of its own, after what was handed over.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.0.write(&mut held(&self.0.connection), work)
    }

    /// Runs `work` in a transaction of its own where the connection is free, and else in one with all that waits.
    pub(crate) fn write_grouped<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match self.0.connection.try_lock() {
            Ok(mut connection) => self.0.write(&mut connection, work),
            Err(TryLockError::Poisoned(poisoned)) => self.0.write(&mut poisoned.into_inner(), work),
            Err(TryLockError::WouldBlock) => {
                let (done, told) = mpsc::sync_channel(1);
                self.hand_over(work, move |result| {
                    // Whoever waits for it is below.
                    let _ = done.send(result);
                });
                told.recv().unwrap_or_else(|_| Err(StoreError::Sqlite("the write came to no end".to_owned())))
            }
        }
    }

    /// Hands `work` over and returns at once; `done` hears when it is durable, or why it is not. It is called on a
    /// thread that others wait for: it is quick and does not use the store.
    pub(crate) fn hand_over<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) {
        let mut queue = held(&self.0.queue);
        queue.jobs.push_back(job(work, done));
        if queue.thread.is_none() {
            let shared = Arc::clone(&self.0);
            queue.thread = thread::Builder::new().name("store".to_owned()).spawn(move || shared.serve()).ok();
        }
        let served = queue.thread.is_some();
        drop(queue);
        if served {
            self.0.news.notify_one();
        } else {
            self.settle();
        }
    }

    /// Returns when all that was handed over before is written.
    pub(crate) fn settle(&self) {
        self.0.catch_up(&mut held(&self.0.connection));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut queue = held(&self.0.queue);
        queue.ends = true;
        let thread = queue.thread.take();
        drop(queue);
        self.0.news.notify_one();
        // The last clone of a store may have been what a job held on to; then the thread ends with that job's group.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            // It catches what panics in a job.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self) {
        loop {
            let waiting = self.news.wait_while(held(&self.queue), |queue| queue.jobs.is_empty() && !queue.ends);
            if waiting.unwrap_or_else(PoisonError::into_inner).jobs.is_empty() {
                return;
            }
            // Jobs go on coming while another has the connection; they are in the same group.
            let mut connection = held(&self.connection);
            let said = self.run_waiting(&mut connection);
            drop(connection);
            said.into_iter().for_each(say);
        }
    }

    fn write<T>(&self, connection: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.catch_up(connection);
        suspect(&self.path, transact(connection, work))
    }

    /// Runs the jobs that wait now, and not those that come meanwhile.
    fn catch_up(&self, connection: &mut Connection) {
        let waiting = held(&self.queue).jobs.len();
        for _ in 0..waiting.div_ceil(GROUP) {
            self.run_waiting(connection).into_iter().for_each(say);
        }
    }

    /// Runs the jobs that wait, as many as one transaction takes; what comes back is to be said to them.
    fn run_waiting(&self, connection: &mut Connection) -> Vec<(Ran, Result<()>)> {
        let mut queue = held(&self.queue);
        let count = queue.jobs.len().min(GROUP);
        let jobs: Vec<Job> = queue.jobs.drain(..count).collect();
        drop(queue);
        if jobs.is_empty() {
            return Vec::new();
        }
        let mut ran = Vec::with_capacity(count);
        let durable = group(connection, jobs, &mut ran);
        ran.iter().filter_map(|ran| ran.failure.as_ref()).chain(durable.as_ref().err()).for_each(|error| {
            note_damage(&self.path, error);
        });
        ran.into_iter().map(|ran| (ran, durable.clone())).collect()
    }
}

/// Runs `work` in one transaction; an error takes everything back.
fn transact<T>(connection: &mut Connection, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = work(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Runs `jobs` in one transaction. Each of them is in `ran` afterwards, whatever comes of it.
fn group(connection: &mut Connection, jobs: Vec<Job>, ran: &mut Vec<Ran>) -> Result<()> {
    let mut jobs = jobs.into_iter();
    let durable = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..jobs.len() {
            run(&transaction, "SAVEPOINT job")?;
            ran.extend(jobs.next().map(|job| job(Ok(&transaction))));
            if let Some(failure) = ran.last().and_then(|ran| ran.failure.as_ref()) {
                // A full disk and the like have taken back the whole transaction.
                if transaction.is_autocommit() {
                    return Err(failure.clone());
                }
                run(&transaction, "ROLLBACK TO job")?;
            }
            run(&transaction, "RELEASE job")?;
        }
        Ok(transaction.commit()?)
    })();
    if let Err(error) = &durable {
        ran.extend(jobs.map(|job| job(Err(error.clone()))));
    }
    durable
}

fn run(transaction: &Transaction<'_>, sql: &str) -> Result<()> {
    transaction.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn job<T: Send + 'static>(
    work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    done: impl FnOnce(Result<T>) + Send + 'static,
) -> Job {
    Box::new(move |begun| {
        // The savepoint takes back what a job did that panicked; the others must still be told.
        let result = catch_unwind(AssertUnwindSafe(|| begun.and_then(work)))
            .unwrap_or_else(|_| Err(StoreError::Sqlite("the work on it panicked".to_owned())));
        let failure = result.as_ref().err().cloned();
        Ran { failure, tell: Box::new(move |durable| done(result.and_then(|value| durable.map(|()| value)))) }
    })
}

fn say((ran, durable): (Ran, Result<()>)) {
    // The others must be told all the same; the panic has been reported where it happened.
    let _ = catch_unwind(AssertUnwindSafe(|| (ran.tell)(durable)));
}

#[cfg(test)]
mod tests;
