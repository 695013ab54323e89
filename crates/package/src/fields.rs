//! Which protobuf numbers the names of a field stand for, in every request of a package's services.

use std::collections::{BTreeMap, HashMap};

use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorProto};
use protox::Compiler;
use protox::file::{File, FileResolver, GoogleFileResolver};

use crate::fingerprint::PROTO_BYTES_MAX;
use crate::package::VerifiedPackage;

/// Why the numbers of a field cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The package's protos have more text than is compiled.
    #[error("the protos have {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes that they have.
        bytes: usize,
        /// Bytes that they may have.
        limit: usize,
    },
    /// The protos do not compile.
    #[error("the protos do not compile: {message}")]
    Proto {
        /// What the compiler says.
        message: String,
    },
    /// No request of the package has such a field.
    #[error("no request has a field {path:?}")]
    NoSuchField {
        /// The names.
        path: String,
    },
}

impl VerifiedPackage {
    /// For each route whose request has the field, the numbers on the way to it. `path` is names separated by dots, such as
    /// `user.id`.
    ///
    /// # Errors
    /// The protos do not compile together, or no request has the field.
    pub fn field_numbers(&self, path: &str) -> Result<BTreeMap<String, Vec<u32>>, FieldError> {
        let protos: HashMap<String, String> =
            self.protos().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        field_numbers(protos, path)
    }
}

fn field_numbers(protos: HashMap<String, String>, path: &str) -> Result<BTreeMap<String, Vec<u32>>, FieldError> {
    let bytes = protos.values().map(String::len).sum();
    if bytes > PROTO_BYTES_MAX {
        return Err(FieldError::TooLarge { bytes, limit: PROTO_BYTES_MAX });
    }
    let failed = |error: protox::Error| FieldError::Proto { message: error.to_string() };
    let names: Vec<_> = protos.keys().cloned().collect();
    let mut compiler = Compiler::with_file_resolver(Package(protos));
    compiler.include_imports(true).open_files(names).map_err(failed)?;
    let files = compiler.file_descriptor_set().file;
    let messages = messages(&files);
    let mut numbers = BTreeMap::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                if let Some(found) = walk(&messages, method.input_type(), path) {
                    let route = format!("{}.{}.{}", file.package(), service.name(), method.name());
                    numbers.insert(route, found);
                }
            }
        }
    }
    if numbers.is_empty() { Err(FieldError::NoSuchField { path: path.to_owned() }) } else { Ok(numbers) }
}

/// The files of one package and the well-known ones.
struct Package(HashMap<String, String>);

impl FileResolver for Package {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => GoogleFileResolver::new().open_file(name),
        }
    }
}

/// Every message by its full name with a leading dot.
fn messages(files: &[FileDescriptorProto]) -> HashMap<String, &DescriptorProto> {
    let mut all = HashMap::new();
    let mut open: Vec<(String, &DescriptorProto)> = Vec::new();
    for file in files {
        let scope = if file.package().is_empty() { String::new() } else { format!(".{}", file.package()) };
        open.extend(file.message_type.iter().map(|message| (scope.clone(), message)));
    }
    while let Some((scope, message)) = open.pop() {
        let name = format!("{scope}.{}", message.name());
        open.extend(message.nested_type.iter().map(|nested| (name.clone(), nested)));
        all.insert(name, message);
    }
    all
}

fn walk(messages: &HashMap<String, &DescriptorProto>, message: &str, path: &str) -> Option<Vec<u32>> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = messages.get(message)?.field.iter().find(|field| field.name() == name)?;
    let mut numbers = vec![u32::try_from(field.number()).ok()?];
    if let Some(rest) = rest {
        let is_message = field.r#type() == Type::Message;
        numbers.extend(is_message.then(|| walk(messages, field.type_name(), rest)).flatten()?);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::field_numbers;
    use expect_test::{Expect, expect};

    const USERS: &str = r#"syntax = "proto3"; package users;
        message User { string name = 1; uint64 id = 3; }"#;
    const BANK: &str = r#"syntax = "proto3"; package bank; import "users.proto";
        message Deposit { uint64 amount = 1; users.User user = 200; message Inner { string key = 9; } Inner inner = 4; }
        message Audit { users.User user = 2; }
        service Bank { rpc Put(Deposit) returns (Audit); rpc Check(Audit) returns (Audit); rpc Names(users.User) returns (Audit); }"#;

    fn check(path: &str, expected: &Expect) {
        let protos = [("users.proto", USERS), ("bank.proto", BANK)];
        let protos = protos.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        expected.assert_eq(&field_numbers(protos, path).map_or_else(|e| e.to_string(), |found| format!("{found:?}")));
    }

    #[test]
    fn names_become_numbers_for_each_route() {
        check("user.id", &expect![[r#"{"bank.Bank.Check": [2, 3], "bank.Bank.Put": [200, 3]}"#]]);
        check("amount", &expect![[r#"{"bank.Bank.Put": [1]}"#]]);
        check("inner.key", &expect![[r#"{"bank.Bank.Put": [4, 9]}"#]]);
        check("amount.more", &expect![[r#"no request has a field "amount.more""#]]);
        check("nobody", &expect![[r#"no request has a field "nobody""#]]);
    }

    #[test]
    fn protos_that_do_not_compile_are_an_error() {
        let protos = [("a.proto".to_owned(), "message".to_owned())].into();
        let error = field_numbers(protos, "a").unwrap_err().to_string();
        assert!(error.starts_with("the protos do not compile: "), "{error}");
    }
}
