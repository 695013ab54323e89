//! An actor that keeps a sum.

use playhouse_guest::{Actor, Context, Error, ErrorKind, export, services};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("counter");
}

use proto::{AddRequest, AddResponse, CounterService, TotalRequest};

/// The actor.
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
export!(Counter);
