use playhouse_store::{ActorInfo, ActorKey, Store, StoreError};
use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind};

use crate::control::protocol::WireError;
use crate::output::nearest;

/// Actors that are looked at in one read.
const PAGE: usize = 1000;
/// Actors that an error names. More do not help.
const NAMED_MAX: usize = 5;
const FORMS: usize = 6;

/// The one actor of a store that a word means: `realm/manufacturer:name/instance`, its id as `ps` shows it, `manufacturer:name/instance`,
/// `manufacturer:name` with or without a version, its name, its instance; or the beginning of one. Forms are tried in this order, and the first that
/// fits anything decides.
pub(crate) fn select(store: &dyn Store, word: &str) -> Result<ActorInfo, WireError> {
    let fail = |error| WireError::from(ActorError::from(error));
    let mut search = Search { word, rank: usize::MAX, found: Vec::new(), more: 0, seen: 0, near: None };
    // Actors never go, so that there are no fewer of them afterwards. A server passes over none.
    let actors = match store.local_folder() {
        Some(_) => store.stats().wait().map_err(fail)?.actors,
        None => 0,
    };
    each(store, |actor| search.look(actor)).map_err(fail)?;
    search.end(actors)
}

/// Every actor of a store, in order of their keys.
pub(crate) fn each(store: &dyn Store, mut take: impl FnMut(ActorInfo)) -> Result<(), StoreError> {
    let mut after = ActorKey::from_number(0);
    loop {
        let page = store.actors(after, PAGE).wait()?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.lease.actor;
        page.into_iter().for_each(&mut take);
    }
}

/// A search that holds few actors, however many there are.
struct Search<'a> {
    word: &'a str,
    /// The best form that fitted so far: exact ones before beginnings.
    rank: usize,
    found: Vec<ActorInfo>,
    more: usize,
    /// Actors that could be read.
    seen: u64,
    near: Option<String>,
}

impl Search<'_> {
    fn look(&mut self, actor: ActorInfo) {
        self.seen += 1;
        let forms = forms(&actor);
        let exact = if names(self.word, &actor) { Some(0) } else { forms.iter().position(|form| form == self.word) };
        let begins = || forms.iter().position(|form| form.starts_with(self.word)).map(|form| FORMS + form);
        let Some(rank) = exact.or_else(begins) else {
            let candidates = self.near.iter().map(String::as_str).chain(forms.iter().map(String::as_str));
            self.near = nearest(self.word, candidates).map(str::to_owned);
            return;
        };
        if rank < self.rank {
            (self.rank, self.more) = (rank, 0);
            self.found.clear();
        }
        if rank == self.rank {
            if self.found.len() < NAMED_MAX { self.found.push(actor) } else { self.more += 1 }
        }
    }

    fn end(mut self, actors: u64) -> Result<ActorInfo, WireError> {
        match self.found.len() {
            1 => Ok(self.found.swap_remove(0)),
            0 if actors > self.seen => Err(self.unreadable(actors - self.seen)),
            0 => Err(self.unknown()),
            _ => Err(self.ambiguous()),
        }
    }

    fn unknown(&self) -> WireError {
        let text = format!("the store has no actor {:?}", self.word);
        let fix = match &self.near {
            Some(near) => format!("Did you mean {near}? `playhouse store actors` lists them."),
            None => "`playhouse store actors` lists them.".to_owned(),
        };
        WireError { fix: Some(fix), ..ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, text).into() }
    }

    /// One of those that cannot be read may be the wanted one.
    fn unreadable(&self, actors: u64) -> WireError {
        let text = format!(
            "the store is damaged: the names of {actors} actors cannot be read, {:?} may be one of them",
            self.word
        );
        ActorError::coded(ErrorKind::Internal, Code::StoreCorrupt, text).into()
    }

    fn ambiguous(&self) -> WireError {
        let mut names: Vec<String> = self.found.iter().map(|actor| actor.identity.to_string()).collect();
        if self.more > 0 {
            names.push("...".to_owned());
        }
        let count = self.found.len() + self.more;
        let text = format!("{:?} may be any of {count} actors: {}", self.word, names.join(", "));
        let fix = Some("Give more of the name; `playhouse store actors` lists them.".to_owned());
        WireError { fix, ..ActorError::coded(ErrorKind::InvalidArgument, Code::ActorAmbiguous, text).into() }
    }
}

/// Whether a word is the id, its beginning as `ps` shows it, or the versioned type of an actor: a store knows no versions.
fn names(word: &str, actor: &ActorInfo) -> bool {
    let identity = &actor.identity;
    let is = |kind: &ActorType| *kind.manufacturer() == identity.manufacturer && *kind.name() == identity.type_name;
    if let Some((serial, realm)) = word.split_once('@')
        && u64::from_str_radix(serial, 16) == Ok(actor.lease.serial.number())
        && realm.parse() == Ok(identity.realm.number())
    {
        return true;
    }
    match word.parse::<ActorId>() {
        Ok(id) => id.realm() == identity.realm && id.serial() == actor.lease.serial && is(id.actor_type()),
        Err(_) => word.parse::<ActorType>().is_ok_and(|kind| is(&kind)),
    }
}

fn forms(actor: &ActorInfo) -> [String; FORMS] {
    let identity = &actor.identity;
    let (kind, instance) = (format!("{}:{}", identity.manufacturer, identity.type_name), &identity.instance);
    let name = identity.type_name.to_string();
    [identity.to_string(), format!("{kind}/{instance}"), format!("{name}/{instance}"), kind, name, instance.clone()]
}

#[cfg(test)]
mod tests;
