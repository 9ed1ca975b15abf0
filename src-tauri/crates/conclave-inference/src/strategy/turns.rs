//! Turns at one provider: so many questions at a time, and those that wait go in by their priority.
//!
//! Invariants: a turn is never lost, whoever gives up waiting and whenever; nobody waits for ever, since the head start
//! of the more urgent is bounded; who waited when it was closed still gets a turn.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::{MOST_WAITING, Priority};

/// So many that come later go before one of the next lower priority.
const HEAD_START: u64 = 100;

/// The turns at one provider.
pub(super) struct Turns {
    at_once: u32,
    line: Mutex<Line>,
    /// Told when all turns are back.
    all_back: Notify,
}

#[derive(Default)]
struct Line {
    free: u32,
    is_closed: bool,
    /// How many have waited.
    arrived: u64,
    /// Who waits, first come first.
    waiting: BTreeMap<Place, oneshot::Sender<Turn>>,
}

/// A place in the line: when it counts as having come, and when it came.
type Place = (u64, u64);

/// Why there is no turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTurn {
    /// Nobody is let in any more.
    Closed,
    /// Too many wait already.
    Full,
}

/// A turn. Dropped, it goes to the next in line.
pub(super) struct Turn(Option<Arc<Turns>>);

/// One who waits. Dropped, it waits no longer.
struct InLine<'a> {
    turns: &'a Turns,
    place: Place,
}

impl Turns {
    pub fn new(at_once: u32) -> Arc<Self> {
        let line = Line { free: at_once, ..Line::default() };
        Arc::new(Self { at_once, line: Mutex::new(line), all_back: Notify::new() })
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn.
    pub async fn take(self: &Arc<Self>, priority: Priority) -> Result<Turn, NoTurn> {
        let (_in_line, told) = {
            let mut line = self.line();
            if line.is_closed {
                return Err(NoTurn::Closed);
            }
            if let Some(free) = line.free.checked_sub(1) {
                line.free = free;
                return Ok(Turn(Some(Arc::clone(self))));
            }
            if line.waiting.len() >= MOST_WAITING {
                return Err(NoTurn::Full);
            }
            let place = (line.arrived + HEAD_START * priority as u64, line.arrived);
            line.arrived += 1;
            let (tell, told) = oneshot::channel();
            line.waiting.insert(place, tell);
            (InLine { turns: self, place }, told)
        };
        told.await.map_err(|_| NoTurn::Closed)
    }

    /// Gives a turn that is over to the next in line.
    fn pass_on(self: Arc<Self>) {
        loop {
            let next = {
                let mut line = self.line();
                let Some((_, next)) = line.waiting.pop_first() else {
                    line.free += 1;
                    if line.free == self.at_once {
                        self.all_back.notify_waiters();
                    }
                    return;
                };
                next
            };
            match next.send(Turn(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // It waits no longer; the turn is still to be given.
                Err(mut turn) => turn.0 = None,
            }
        }
    }

    /// Lets nobody in any more, and waits until everybody is out.
    pub async fn close(&self) {
        self.line().is_closed = true;
        loop {
            let back = self.all_back.notified();
            if self.line().free == self.at_once {
                return;
            }
            back.await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.pass_on();
        }
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.turns.line().waiting.remove(&self.place);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Taking<'a> = Pin<Box<dyn Future<Output = Result<Turn, NoTurn>> + 'a>>;

    fn poll<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
        Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn turn(taking: &mut Taking<'_>) -> Option<Turn> {
        match poll(taking) {
            Poll::Ready(Ok(turn)) => Some(turn),
            Poll::Ready(Err(why)) => panic!("no turn: {why:?}"),
            Poll::Pending => None,
        }
    }

    /// Who waits in this order, polled once.
    fn line<'a>(turns: &'a Arc<Turns>, of: &[Priority]) -> Vec<Option<Taking<'a>>> {
        let mut line: Vec<Option<Taking<'a>>> = Vec::new();
        for priority in of {
            let mut taking: Taking<'a> = Box::pin(turns.take(*priority));
            assert!(turn(&mut taking).is_none(), "nothing is free");
            line.push(Some(taking));
        }
        line
    }

    /// The places in `line` in the order in which they get the one turn, which is `held` now.
    fn served(held: Turn, line: &mut [Option<Taking<'_>>]) -> Vec<usize> {
        let mut order = Vec::new();
        let mut held = Some(held);
        while held.take().is_some() {
            for (at, place) in line.iter_mut().enumerate() {
                let Some(got) = place.as_mut().and_then(turn) else { continue };
                *place = None;
                order.push(at);
                held = Some(got);
                break;
            }
        }
        order
    }

    fn one() -> (Arc<Turns>, Turn) {
        let turns = Turns::new(1);
        let first = turn(&mut (Box::pin(turns.take(Priority::Low)) as Taking<'_>)).expect("it is free");
        (turns, first)
    }

    #[test]
    fn the_more_urgent_goes_first_and_equals_as_they_came() {
        use Priority::{Critical, High, Low, Medium, Review};
        for (of, expect) in [
            ([Low, Medium, High, Critical, Review], [4, 3, 2, 1, 0]),
            ([Review, Critical, High, Medium, Low], [0, 1, 2, 3, 4]),
            ([High, High, High, High, High], [0, 1, 2, 3, 4]),
            ([Low, Review, Low, Review, Critical], [1, 3, 4, 0, 2]),
        ] {
            let (turns, held) = one();
            let mut line = line(&turns, &of);
            assert_eq!(served(held, &mut line), expect, "{of:?}");
        }
    }

    #[test]
    fn nobody_is_overtaken_for_ever() {
        for (first, then, overtaken) in [
            (Priority::Low, Priority::Medium, 99),
            (Priority::Low, Priority::Review, 399),
            (Priority::Critical, Priority::Review, 99),
        ] {
            let (turns, held) = one();
            let of: Vec<Priority> = [first].into_iter().chain([then; 500]).collect();
            let mut line = line(&turns, &of);
            let order = served(held, &mut line);
            assert_eq!(order.iter().position(|at| *at == 0), Some(overtaken), "{first:?} {then:?}");
            assert_eq!(order.len(), 501);
        }
    }

    #[test]
    fn a_turn_of_somebody_who_has_gone_is_the_next_ones() {
        let (turns, held) = one();
        let mut line = line(&turns, &[Priority::Low; 4]);
        line[0] = None;
        drop(held);
        // The second has its turn and goes before it knows.
        line[1] = None;
        let third = turn(line[2].as_mut().expect("it waits")).expect("its turn");
        line[2] = None;
        assert_eq!(served(third, &mut line), [3]);
        let left = turns.line();
        assert_eq!((left.free, left.waiting.len()), (1, 0));
    }

    #[test]
    fn a_long_line_turns_the_next_one_away_and_a_closed_one_everybody_who_is_not_in_it() {
        let (turns, held) = one();
        let mut full = line(&turns, &vec![Priority::Low; MOST_WAITING]);
        let refused = |turns: &Arc<Turns>| match poll(pin!(turns.take(Priority::Review))) {
            Poll::Ready(Err(why)) => why,
            _ => panic!("it is let in"),
        };
        assert_eq!(refused(&turns), NoTurn::Full);
        full.truncate(2);
        let mut closing = pin!(turns.close());
        assert!(poll(&mut closing).is_pending());
        assert_eq!(refused(&turns), NoTurn::Closed);
        assert_eq!(served(held, &mut full), [0, 1]);
        assert!(poll(&mut closing).is_ready());
    }
}
