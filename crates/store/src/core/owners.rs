use playhouse_types::Serial;

use crate::error::StoreError;
use crate::model::{ActorInfo, ActorKey, Epoch, Lease, OpenActor, Revision, Time, Usage};

use super::book::Ledger;
use super::change::{Change, Flow};
use super::sizes;

impl Change for OpenActor {
    type Answer = Lease;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Lease, StoreError> {
        sizes::check_identity(&self.identity)?;
        sizes::check_owner(&self.owner)?;
        let until = self.now.after(self.lease_for);
        let Some(actor) = ledger.rows.actor_named(&self.identity)? else {
            return create(ledger, self, until);
        };
        let info = ledger.actor(actor)?;
        if info.owner != self.owner && info.lease.until > self.now {
            return Err(StoreError::OwnedElsewhere { owner: info.owner.clone(), until: info.lease.until });
        }
        let mut lease = info.lease;
        lease.epoch = Epoch::from_number(lease.epoch.number() + 1);
        lease.until = until;
        ledger.change_actor(actor, |info| {
            info.lease = lease;
            info.owner.clone_from(&self.owner);
        });
        Ok(lease)
    }

    fn bytes(&self) -> u64 {
        (self.identity.instance.len() + self.owner.len()) as u64
    }

    fn flow(&self) -> Flow {
        Flow::Onward
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

fn create(ledger: &mut Ledger<'_>, open: &OpenActor, until: Time) -> Result<Lease, StoreError> {
    let number = ledger.book.counters.actor + 1;
    let lease = Lease {
        actor: ActorKey::from_number(number),
        serial: Serial::new(number),
        epoch: Epoch::from_number(1),
        until,
        revision: Revision::default(),
        usage: Usage::default(),
    };
    ledger.rows.add_actor(&ActorInfo { identity: open.identity.clone(), lease, owner: open.owner.clone() })?;
    ledger.book.counters.actor = number;
    Ok(lease)
}

/// [`Store::renew`](crate::Store::renew).
pub(crate) struct Renew {
    pub(crate) actor: ActorKey,
    pub(crate) epoch: Epoch,
    pub(crate) until: Time,
}

impl Change for Renew {
    type Answer = ();

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        ledger.owned(self.actor, self.epoch)?;
        ledger.change_actor(self.actor, |info| info.lease.until = self.until);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        0
    }
}

/// [`Store::release`](crate::Store::release).
pub(crate) struct Release {
    pub(crate) actor: ActorKey,
    pub(crate) epoch: Epoch,
}

impl Change for Release {
    type Answer = ();

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        ledger.owned(self.actor, self.epoch)?;
        ledger.change_actor(self.actor, |info| info.lease.until = Time::default());
        Ok(())
    }

    fn bytes(&self) -> u64 {
        0
    }
}
