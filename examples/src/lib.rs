//! A linked actor, and what is generated from its `.proto`. The programs in `src/bin` embed a node and use it.

use playhouse_guest::{Actor, Context, Error, ErrorKind, services};

/// The messages, the trait and the client of `counter.proto`.
#[expect(missing_docs, reason = "the messages are documented in their proto file")]
pub mod counter {
    playhouse_guest::include_proto!("counter");
}

use counter::{AddRequest, AddResponse, CounterService, TotalRequest};

/// An actor that keeps a sum. It handles one message at a time, so it needs no lock.
#[derive(Debug, Default)]
pub struct Counter {
    total: u64,
}

impl Actor for Counter {}

impl CounterService for Counter {
    async fn add(&mut self, _cx: Context<'_>, request: AddRequest) -> Result<AddResponse, Error> {
        let total = self.total.checked_add(request.amount);
        self.total = total.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "the sum would not fit 64 bits"))?;
        Ok(AddResponse { total: self.total })
    }

    async fn total(&mut self, _cx: Context<'_>, _request: TotalRequest) -> Result<AddResponse, Error> {
        Ok(AddResponse { total: self.total })
    }
}

services!(Counter: CounterService);
