//! An actor that keeps a book in its state, is reminded by a timer, and uses keys that it never sees.
//!
//! | key of the state | value |
//! |---|---|
//! | `sum` | the sum and the number of entries, as a `Balance` |
//! | `entry/` and eight bytes, the greatest first | an `Entry` |
//! | `reminded` | how often, as text |
//! | `kept` | a sealed text |

mod records;

use playhouse_guest::internal::prost::Message;
use playhouse_guest::{
    Actor, Context, Error, ErrorKind, KeyPurpose, LogLevel, LogText, RouteKey, StateChange, StateVersion, export,
    services,
};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("ledger");
}

use records::{decoded, entry_key, state_key};

use proto::{
    Balance, BookRequest, ClearRequest, ClearResponse, EntriesRequest, EntriesResponse, Entry, KeepRequest,
    KeepResponse, LedgerService, RecallRequest, RecallResponse, RemindRequest, RemindResponse, RemindedRequest,
    RemindedResponse, StatementRequest, StatementResponse, SumRequest,
};

const SUM: &str = "sum";
const REMINDED: &str = "reminded";
const KEPT: &str = "kept";

/// The actor. All that it knows is in its state.
#[derive(Debug, Default)]
pub struct Ledger;

impl Actor for Ledger {}

impl LedgerService for Ledger {
    async fn book(&mut self, cx: Context<'_>, request: BookRequest) -> Result<Balance, Error> {
        let (mut balance, version) = sum(cx).await?;
        let overflow = || Error::new(ErrorKind::InvalidArgument, "the sum would not fit 64 bits");
        balance.sum = balance.sum.checked_add(request.amount).ok_or_else(overflow)?;
        balance.entries += 1;
        let booked_at_seconds = cx.now().await?.seconds();
        let entry = Entry { number: balance.entries, amount: request.amount, what: request.what, booked_at_seconds };
        cx.state().set(entry_key(entry.number), entry.encode_to_vec()).await?;
        if !cx.state().compare_and_set(SUM, version, Some(balance.encode_to_vec().into())).await? {
            return Err(Error::new(ErrorKind::Unavailable, "somebody else booked meanwhile"));
        }
        shown(cx, balance).await
    }

    async fn sum(&mut self, cx: Context<'_>, _request: SumRequest) -> Result<Balance, Error> {
        let (balance, _) = sum(cx).await?;
        shown(cx, balance).await
    }

    async fn entries(&mut self, cx: Context<'_>, request: EntriesRequest) -> Result<EntriesResponse, Error> {
        let after = (request.after > 0).then(|| state_key(entry_key(request.after))).transpose()?;
        let found = cx.state().scan(records::ENTRY, after, request.limit).await?;
        let entries = found.entries.into_iter().map(|found| decoded(found.value));
        Ok(EntriesResponse { entries: entries.collect::<Result<_, _>>()?, more: found.more })
    }

    async fn clear(&mut self, cx: Context<'_>, _request: ClearRequest) -> Result<ClearResponse, Error> {
        const PAGE: u32 = 100;
        let mut entries = 0;
        loop {
            let found = cx.state().scan(records::ENTRY, None, PAGE).await?;
            entries += found.entries.len() as u64;
            let gone = |key| StateChange { key, value: None };
            let mut changes: Vec<_> = found.entries.into_iter().map(|entry| gone(entry.key)).collect();
            changes.push(gone(state_key(SUM)?));
            cx.state().write(changes).await?;
            if !found.more {
                cx.state().delete(REMINDED).await?;
                cx.log_with(LogLevel::Info, &LogText::new("the book is cleared").with("entries", entries));
                return Ok(ClearResponse { entries });
            }
        }
    }

    async fn remind(&mut self, cx: Context<'_>, request: RemindRequest) -> Result<RemindResponse, Error> {
        let route = RouteKey::from_static("ledger.LedgerService.Reminded");
        let delay = std::time::Duration::from_millis(request.after_ms);
        cx.timers().after("remind", delay, route, RemindedRequest {}.encode_to_vec().into()).await?;
        Ok(RemindResponse {})
    }

    async fn reminded(&mut self, cx: Context<'_>, _request: RemindedRequest) -> Result<RemindedResponse, Error> {
        let times = reminded(cx).await? + 1;
        cx.state().set(REMINDED, times.to_string()).await?;
        Ok(RemindedResponse {})
    }

    async fn keep(&mut self, cx: Context<'_>, request: KeepRequest) -> Result<KeepResponse, Error> {
        let sealed = cx.keys().seal("keep", request.text, KEPT.as_bytes()).await?;
        cx.state().set(KEPT, sealed).await?;
        Ok(KeepResponse {})
    }

    async fn recall(&mut self, cx: Context<'_>, _request: RecallRequest) -> Result<RecallResponse, Error> {
        let sealed = cx.state().get(KEPT).await?;
        let sealed = sealed.ok_or_else(|| Error::new(ErrorKind::NotFound, "no text is kept"))?;
        let text = String::from_utf8(cx.keys().open("keep", sealed, KEPT.as_bytes()).await?.into());
        Ok(RecallResponse { text: text.map_err(|_| Error::new(ErrorKind::Internal, "what was kept is no text"))? })
    }

    async fn statement(&mut self, cx: Context<'_>, _request: StatementRequest) -> Result<StatementResponse, Error> {
        let (balance, _) = sum(cx).await?;
        let nonce = cx.random(8).await?;
        let nonce = nonce.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let text = format!("{} has {} in {} entries; {nonce:016x}", cx.self_id(), balance.sum, balance.entries);
        let signature = cx.keys().sign("statement", text.clone()).await?;
        let public_key = cx.keys().public_key("statement", KeyPurpose::Sign).await?;
        Ok(StatementResponse { text, signature: signature.into(), public_key: public_key.into() })
    }
}

async fn sum(cx: Context<'_>) -> Result<(Balance, Option<StateVersion>), Error> {
    match cx.state().entry(SUM).await? {
        Some(entry) => Ok((decoded(entry.value)?, Some(entry.version))),
        None => Ok((Balance::default(), None)),
    }
}

/// The balance with what is not written down beside the sum.
async fn shown(cx: Context<'_>, balance: Balance) -> Result<Balance, Error> {
    let currency = cx.config("currency").await?.unwrap_or_default();
    Ok(Balance { reminded: reminded(cx).await?, currency, ..balance })
}

async fn reminded(cx: Context<'_>) -> Result<u64, Error> {
    let Some(text) = cx.state().get(REMINDED).await? else { return Ok(0) };
    let times = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
    times.ok_or_else(|| Error::new(ErrorKind::Internal, "the number of reminders is no number"))
}

services!(Ledger: LedgerService);
export!(Ledger);
