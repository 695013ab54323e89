use playhouse_node::DurabilityPolicy;
use playhouse_package::VerifiedPackage;

use crate::output::nearest;
use crate::protos::{ProtoFile, Protos};

/// The methods of the actors, to find what the configuration says of methods that none of them has. A method that is misspelt there would be
/// less durable than its operator believes.
#[derive(Default)]
pub(super) struct Routes {
    /// Those of all actors; none from the first actor on whose package does not say.
    known: Vec<String>,
    untold: bool,
    unknown: Vec<String>,
}

impl Routes {
    /// One more actor, and what the configuration says of it alone.
    pub(super) fn add(&mut self, package: &VerifiedPackage, durability: &DurabilityPolicy) {
        let files = package.protos().map(|(name, text)| ProtoFile { name: name.to_owned(), text: text.to_owned() });
        let files: Vec<ProtoFile> = files.collect();
        // What does not compile is said where it is used.
        let routes = Protos::compile(&files).map(|protos| protos.routes()).unwrap_or_default();
        if routes.is_empty() {
            self.untold = true;
            return;
        }
        let whose = package.actor_type().to_string();
        self.unknown.extend(durability.routes.keys().filter_map(|route| unknown(route.as_str(), &routes, &whose)));
        self.known.extend(routes);
    }

    /// What is to be said, also of what the configuration says of all actors.
    pub(super) fn unknown(mut self, durability: &DurabilityPolicy) -> Vec<String> {
        if !self.untold && !self.known.is_empty() {
            let all = durability.routes.keys();
            self.unknown.extend(all.filter_map(|route| unknown(route.as_str(), &self.known, "no actor here")));
        }
        self.unknown.sort();
        self.unknown
    }
}

fn unknown(route: &str, known: &[String], whose: &str) -> Option<String> {
    if known.iter().any(|known| known == route) {
        return None;
    }
    let near = nearest(route, known.iter().map(String::as_str)).map(|near| format!("; did you mean {near}?"));
    let lacks = if whose == "no actor here" { "has" } else { "does not have" };
    Some(format!("durability.routes names {route}, which {whose} {lacks}{}", near.unwrap_or_default()))
}
