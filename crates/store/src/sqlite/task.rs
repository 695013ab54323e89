use crate::core::{Change, Flow, Ledger};
use crate::error::StoreError;
use crate::receipt::Done;
use crate::waiting::Waits;

/// A change and whoever waits for it, of whatever type.
pub(super) trait Task: Waits + Send {
    /// Makes the change; its answer is kept until the group is on the disk.
    fn run(&mut self, ledger: &mut Ledger<'_>) -> Result<(), StoreError>;
    /// Answers with what [`Task::run`] came to.
    fn answer(self: Box<Self>);
    /// Answers with an error, whatever [`Task::run`] came to.
    fn fail(self: Box<Self>, error: StoreError);
    /// What the task came to from now on, until it is run again.
    fn refuse(&mut self, error: StoreError);
}

pub(super) struct Job<C: Change> {
    change: C,
    /// Counted once, and not under the queue's lock.
    bytes: u64,
    result: Result<C::Answer, StoreError>,
    done: Done<C::Answer>,
}

impl<C: Change> Job<C> {
    pub(super) fn new(change: C, done: Done<C::Answer>) -> Self {
        let bytes = change.bytes();
        Self { change, bytes, result: Err(StoreError::Closed), done }
    }
}

impl<C: Change> Waits for Job<C> {
    fn flow(&self) -> Flow {
        self.change.flow()
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn is_unhurried(&self) -> bool {
        self.change.is_unhurried()
    }
}

impl<C: Change> Task for Job<C> {
    fn run(&mut self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        ledger.see(self.change.now());
        match self.change.make(ledger) {
            Ok(answer) => {
                self.result = Ok(answer);
                Ok(())
            }
            Err(error) => {
                self.result = Err(error.clone());
                Err(error)
            }
        }
    }

    fn answer(self: Box<Self>) {
        self.done.answer(self.result);
    }

    fn fail(self: Box<Self>, error: StoreError) {
        self.done.answer(Err(error));
    }

    fn refuse(&mut self, error: StoreError) {
        self.result = Err(error);
    }
}
