use playhouse_types::{ActorError, ActorId, Code, ErrorKind};

use crate::output::nearest;

/// Actors that an error names. More do not help.
const NAMED_MAX: usize = 5;

/// The one actor that a word means: its id, its type, `manufacturer:name`, its name, or the beginning of any of these. Forms are tried
/// in this order, and the first that fits anything decides.
pub(crate) fn select<'a>(word: &str, actors: &'a [ActorId]) -> Result<&'a ActorId, SelectError> {
    let given: Option<ActorId> = word.parse().ok();
    if let Some(found) = given.and_then(|id| actors.iter().find(|actor| **actor == id)) {
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

const FORMS: usize = 4;

fn forms(actor: &ActorId) -> [String; FORMS] {
    let (kind, name) = (actor.actor_type(), actor.actor_type().name());
    [actor.to_string(), kind.to_string(), format!("{}:{name}", kind.manufacturer()), name.to_string()]
}

fn fitting(actors: &[ActorId], fits: impl Fn(&ActorId) -> bool) -> Vec<&ActorId> {
    actors.iter().filter(|actor| fits(actor)).collect()
}

fn unknown(word: &str, actors: &[ActorId]) -> SelectError {
    let error =
        ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, format!("no actor {word:?} runs on this node"));
    let names: Vec<String> = actors.iter().flat_map(forms).collect();
    let near = nearest(word, names.iter().map(String::as_str));
    SelectError {
        error,
        fix: near.map(|near| format!("Did you mean {near}? `playhouse ps` lists the actors that run.")),
    }
}

fn ambiguous(word: &str, several: &[&ActorId]) -> SelectError {
    let mut names: Vec<String> = several.iter().take(NAMED_MAX).map(ToString::to_string).collect();
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
