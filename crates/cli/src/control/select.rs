use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind};

use super::protocol::WireError;
use crate::output::nearest;

/// Actors that an error names. More do not help.
const NAMED_MAX: usize = 5;

/// Something that a word may mean: an actor, or one that is yet to start and has no id.
pub(crate) trait Named {
    /// Its id, if it has one.
    fn id(&self) -> Option<&ActorId>;

    /// Its type.
    fn actor_type(&self) -> &ActorType;
}

impl Named for ActorId {
    fn id(&self) -> Option<&ActorId> {
        Some(self)
    }

    fn actor_type(&self) -> &ActorType {
        Self::actor_type(self)
    }
}

impl<T> Named for (T, ActorType) {
    fn id(&self) -> Option<&ActorId> {
        None
    }

    fn actor_type(&self) -> &ActorType {
        &self.1
    }
}

/// The one actor that a word means: its id, its type, `manufacturer:name`, its name, or the beginning of any of these. Forms are tried
/// in this order, and the first that fits anything decides.
pub(crate) fn select<'a, A: Named>(word: &str, actors: &'a [A]) -> Result<&'a A, SelectError> {
    let given: Option<ActorId> = word.parse().ok();
    if let Some(found) = given.and_then(|id| actors.iter().find(|actor| actor.id() == Some(&id))) {
        return Ok(found);
    }
    let exact = (0..FORMS).map(|form| fitting(actors, |actor| forms(actor)[form] == word));
    let beginning = (0..FORMS).map(|form| fitting(actors, |actor| forms(actor)[form].starts_with(word)));
    let decisive = exact.chain(beginning).find(|found| !found.is_empty()).unwrap_or_default();
    match decisive[..] {
        [only] => Ok(only),
        [] => Err(unknown(word, actors)),
        ref several => Err(ambiguous(word, several)),
    }
}

/// Why a word means no actor, and what to type instead.
#[derive(Debug)]
pub(crate) struct SelectError {
    pub(crate) error: ActorError,
    pub(crate) fix: Option<String>,
}

impl From<SelectError> for WireError {
    fn from(failed: SelectError) -> Self {
        Self { fix: failed.fix, ..failed.error.into() }
    }
}

const FORMS: usize = 4;

fn forms(actor: &impl Named) -> [String; FORMS] {
    let (kind, name) = (actor.actor_type(), actor.actor_type().name());
    [full_name(actor), kind.to_string(), format!("{}:{name}", kind.manufacturer()), name.to_string()]
}

fn full_name(actor: &impl Named) -> String {
    actor.id().map_or_else(|| actor.actor_type().to_string(), ToString::to_string)
}

fn fitting<A>(actors: &[A], fits: impl Fn(&A) -> bool) -> Vec<&A> {
    actors.iter().filter(|actor| fits(actor)).collect()
}

fn unknown(word: &str, actors: &[impl Named]) -> SelectError {
    let error =
        ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, format!("no actor {word:?} runs on this node"));
    let names: Vec<String> = actors.iter().flat_map(forms).collect();
    let near = nearest(word, names.iter().map(String::as_str));
    SelectError {
        error,
        fix: near.map(|near| format!("Did you mean {near}? `playhouse ps` lists the actors that run.")),
    }
}

fn ambiguous<A: Named>(word: &str, several: &[&A]) -> SelectError {
    let mut names: Vec<String> = several.iter().take(NAMED_MAX).map(|actor| full_name(*actor)).collect();
    if several.len() > NAMED_MAX {
        names.push("...".to_owned());
    }
    let message = format!("{word:?} may be any of {} actors: {}", several.len(), names.join(", "));
    SelectError { error: ActorError::coded(ErrorKind::InvalidArgument, Code::ActorAmbiguous, message), fix: None }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use playhouse_types::ActorId;

    use super::select;

    const ACTORS: [&str; 4] =
        ["1@7/acme:Echo:1.0.0", "2@7/acme:Echo:1.1.0", "3@7/acme:EchoStream:1.0.0", "1f@7/other:Counter:2.0.0"];

    fn check(word: &str, expected: Expect) {
        let actors = ACTORS.map(|text| text.parse::<ActorId>().unwrap());
        expected.assert_eq(&match select(word, &actors) {
            Ok(found) => found.to_string(),
            Err(failed) => format!("{:?}; {}", failed.error, failed.fix.unwrap_or_default()),
        });
    }

    #[test]
    fn words_mean_actors() {
        check("1@7/acme:Echo:1.0.0", expect!["1@7/acme:Echo:1.0.0"]);
        check("01F@7/other:Counter:2.0.0", expect!["1f@7/other:Counter:2.0.0"]);
        check("acme:Echo:1.1.0", expect!["2@7/acme:Echo:1.1.0"]);
        check("other:Counter", expect!["1f@7/other:Counter:2.0.0"]);
        check("Counter", expect!["1f@7/other:Counter:2.0.0"]);
        check("EchoS", expect!["3@7/acme:EchoStream:1.0.0"]);
        check("2@7", expect!["2@7/acme:Echo:1.1.0"]);
        check("1f", expect!["1f@7/other:Counter:2.0.0"]);
    }

    #[test]
    fn doubtful_words_are_refused() {
        check(
            "Echo",
            expect![[
                r#"invalid argument: "Echo" may be any of 2 actors: 1@7/acme:Echo:1.0.0, 2@7/acme:Echo:1.1.0 [actor-ambiguous]; "#
            ]],
        );
        check(
            "acme",
            expect![[
                r#"invalid argument: "acme" may be any of 3 actors: 1@7/acme:Echo:1.0.0, 2@7/acme:Echo:1.1.0, 3@7/acme:EchoStream:1.0.0 [actor-ambiguous]; "#
            ]],
        );
        check(
            "Contre",
            expect![[
                r#"not found: no actor "Contre" runs on this node [unknown-actor]; Did you mean Counter? `playhouse ps` lists the actors that run."#
            ]],
        );
        check("zzz", expect![[r#"not found: no actor "zzz" runs on this node [unknown-actor]; "#]]);
        check(
            "",
            expect![[
                r#"invalid argument: "" may be any of 4 actors: 1@7/acme:Echo:1.0.0, 2@7/acme:Echo:1.1.0, 3@7/acme:EchoStream:1.0.0, 1f@7/other:Counter:2.0.0 [actor-ambiguous]; "#
            ]],
        );
    }
}
