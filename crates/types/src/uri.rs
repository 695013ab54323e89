use std::fmt;
use std::str::FromStr;

use crate::id::{ActorType, Realm};
use crate::name::ParseError;

/// A type inside a realm, written `actr://<realm>:<manufacturer>+<name>@<version>`. It names a type, not an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ActorUri {
    /// The security domain.
    pub realm: Realm,
    /// The program.
    pub actor_type: ActorType,
}

impl fmt::Display for ActorUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = &self.actor_type;
        write!(f, "actr://{}:{}+{}@{}", self.realm.number(), t.manufacturer(), t.name(), t.version())
    }
}

impl FromStr for ActorUri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| ParseError::new("actor URI", text, rule);
        let rest = text.strip_prefix("actr://").ok_or_else(|| fail("does not start with actr://"))?;
        if rest.is_empty() {
            return Err(fail("has nothing after actr://"));
        }
        let (authority, version) = rest.rsplit_once('@').ok_or_else(|| fail("has no '@' before the version"))?;
        let (realm, program) = authority.split_once(':').ok_or_else(|| fail("has no ':' after the realm"))?;
        let realm = realm.parse().map_err(|_| fail("has a realm that is not a 32-bit decimal number"))?;
        let (manufacturer, name) = program.split_once('+').ok_or_else(|| fail("has no '+' after the manufacturer"))?;
        let actor_type = ActorType::new(manufacturer.parse()?, name.parse()?, version.parse()?);
        Ok(Self { realm: Realm::new(realm), actor_type })
    }
}

#[cfg(test)]
mod tests {
    use super::ActorUri;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&text.parse::<ActorUri>().map_or_else(|e| e.to_string(), |u| u.to_string()));
    }

    #[test]
    fn uris() {
        check("actr://7:acme+EchoService@1.0.0", &expect!["actr://7:acme+EchoService@1.0.0"]);
        check(
            "http://7:acme+EchoService@1.0.0",
            &expect![[r#"actor URI "http://7:acme+EchoService@1.0.0" does not start with actr://"#]],
        );
        check("actr://", &expect![[r#"actor URI "actr://" has nothing after actr://"#]]);
        check(
            "actr://7:acme+EchoService",
            &expect![[r#"actor URI "actr://7:acme+EchoService" has no '@' before the version"#]],
        );
        check(
            "actr://x:acme+EchoService@1",
            &expect![[r#"actor URI "actr://x:acme+EchoService@1" has a realm that is not a 32-bit decimal number"#]],
        );
        check("actr://7:acme@1", &expect![[r#"actor URI "actr://7:acme@1" has no '+' after the manufacturer"#]]);
        check("actr://7:../x+E@1", &expect![[r#"name "../x" does not start with a letter"#]]);
    }
}
