use crate::core::{Release, Renew, sizes};
use crate::error::StoreError;
use crate::model::{ActorKey, Durability, Epoch, Lease, OpenActor, Time};
use crate::postgres::answer::Answer;
use crate::postgres::group::{Group, Kind, number, text};

use super::{Write, millis};

impl Write for OpenActor {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_identity(&self.identity)?;
        sizes::check_owner(&self.owner)
    }

    fn encode(&self, group: &mut Group) {
        let identity = &self.identity;
        let numbers = [i64::from(identity.realm.number()), millis(self.now), millis(self.now.after(self.lease_for))];
        let names = [identity.manufacturer.as_str(), identity.type_name.as_str(), &identity.instance, &self.owner];
        group.push(Kind::Open, numbers, names.map(text));
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Lease, StoreError> {
        Ok(answer.lease())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        (answer.code == 2).then(|| answer.owned_elsewhere())
    }

    /// With quorum, if there is one: a server that takes over must not give the epoch out again.
    fn class(&self) -> Durability {
        Durability::Quorum
    }
}

fn extend(group: &mut Group, actor: ActorKey, epoch: Epoch, until: Time) {
    let slot = group.slot(actor);
    group.push(Kind::Extend, [slot, number(epoch.number()), millis(until)], []);
}

fn not_extended(answer: &Answer, actor: ActorKey, epoch: Epoch) -> Option<StoreError> {
    match answer.code {
        1 => Some(StoreError::UnknownActor { actor }),
        3 => Some(answer.stale(actor, epoch)),
        _ => None,
    }
}

impl Write for Renew {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        extend(group, self.actor, self.epoch, self.until);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        not_extended(answer, self.actor, self.epoch)
    }
}

impl Write for Release {
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn encode(&self, group: &mut Group) {
        extend(group, self.actor, self.epoch, Time::default());
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        not_extended(answer, self.actor, self.epoch)
    }
}
