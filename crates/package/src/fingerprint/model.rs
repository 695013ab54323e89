use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FieldOptions, FileDescriptorProto, FileOptions,
    MethodDescriptorProto, ServiceDescriptorProto, field_options, file_options, method_options,
};

use super::json::{Json, Object};

/// The ordered model of a file.
pub(super) fn file(file: &FileDescriptorProto) -> Object {
    let mut imports = file.dependency.clone();
    imports.sort();
    let object = Object::default()
        .maybe("package", file.package.as_ref().filter(|name| !name.is_empty()))
        .with("syntax", file.syntax.as_deref().filter(|syntax| !syntax.is_empty()).unwrap_or("proto2"))
        .with("imports", imports)
        .with("messages", messages(&file.message_type))
        .with("enums", enums(&file.enum_type))
        .with("services", services(&file.service))
        .with("extensions", by_name(&file.extension, FieldDescriptorProto::name, extension));
    match &file.options {
        Some(options) => file_options(object, options),
        None => object,
    }
}

fn file_options(object: Object, options: &FileOptions) -> Object {
    let optimize_for = options.optimize_for.and_then(|mode| file_options::OptimizeMode::try_from(mode).ok());
    object
        .maybe("go_package", options.go_package.as_ref())
        .maybe("java_package", options.java_package.as_ref())
        .maybe("csharp_namespace", options.csharp_namespace.as_ref())
        .maybe("ruby_package", options.ruby_package.as_ref())
        .maybe("java_multiple_files", options.java_multiple_files)
        .maybe("java_outer_classname", options.java_outer_classname.as_ref())
        .maybe("java_string_check_utf8", options.java_string_check_utf8)
        .maybe("java_generic_services", options.java_generic_services)
        .maybe("objc_class_prefix", options.objc_class_prefix.as_ref())
        .maybe("php_class_prefix", options.php_class_prefix.as_ref())
        .maybe("php_namespace", options.php_namespace.as_ref())
        .maybe("php_metadata_namespace", options.php_metadata_namespace.as_ref())
        .maybe("php_generic_services", options.php_generic_services)
        .maybe("swift_prefix", options.swift_prefix.as_ref())
        .maybe("cc_generic_services", options.cc_generic_services)
        .maybe("cc_enable_arenas", options.cc_enable_arenas)
        .maybe("py_generic_services", options.py_generic_services)
        .maybe("optimize_for", optimize_for.map(|mode| mode.as_str_name()))
}

fn messages(messages: &[DescriptorProto]) -> Vec<Object> {
    by_name(messages, DescriptorProto::name, message)
}

fn message(message: &DescriptorProto) -> Object {
    let ranges = message.reserved_range.iter().map(|range| (range.start(), range.end()));
    let extensions = message.extension_range.iter().map(|range| (range.start(), range.end()));
    let options = message.options.as_ref();
    Object::default()
        .with("name", message.name())
        .with("fields", fields(&message.field))
        .with("nested_messages", messages(&message.nested_type))
        .with("nested_enums", enums(&message.enum_type))
        .with("oneofs", message.oneof_decl.iter().map(|oneof| oneof.name().to_owned()).collect::<Vec<_>>())
        .with("reserved_ranges", sorted_ranges(ranges))
        .with("reserved_names", reserved_names(&message.reserved_name))
        .with("extension_ranges", sorted_ranges(extensions))
        .maybe("message_set_wire_format", options.and_then(|options| options.message_set_wire_format))
        .maybe("no_standard_descriptor_accessor", options.and_then(|options| options.no_standard_descriptor_accessor))
        .maybe("deprecated", options.and_then(|options| options.deprecated))
}

fn fields(fields: &[FieldDescriptorProto]) -> Vec<Object> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|field| (field.number(), field.name()));
    fields.into_iter().map(field).collect()
}

fn field(field: &FieldDescriptorProto) -> Object {
    let options = field.options.clone().unwrap_or_default();
    let json_name = field.json_name.clone().unwrap_or_else(|| derived_json_name(field.name()));
    Object::default()
        .with("name", field.name())
        .with("number", field.number())
        .maybe("label", label(field))
        .with("type_name", type_name(field))
        .maybe("oneof_index", field.oneof_index)
        .maybe("default", default(field))
        .with("json_name", json_name.as_str())
        .maybe("jstype", jstype(&options))
        .maybe("ctype", ctype(&options))
        .maybe("deprecated", options.deprecated)
        .maybe("weak", options.weak)
        .with("options", field_options(field, &options, &json_name))
}

/// Everything as text, in alphabetical order.
fn field_options(field: &FieldDescriptorProto, options: &FieldOptions, json_name: &str) -> Object {
    Object::default()
        .maybe("ctype", ctype(options))
        .maybe("default", default(field))
        .maybe("deprecated", options.deprecated.map(truth))
        .maybe("jstype", jstype(options))
        .with("json_name", json_name)
        .maybe("packed", options.packed.map(truth))
        .maybe("weak", options.weak.map(truth))
}

const fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn jstype(options: &FieldOptions) -> Option<&'static str> {
    options.jstype.and_then(|value| field_options::JsType::try_from(value).ok()).map(|value| value.as_str_name())
}

fn ctype(options: &FieldOptions) -> Option<&'static str> {
    options.ctype.and_then(|value| field_options::CType::try_from(value).ok()).map(|value| value.as_str_name())
}

fn label(field: &FieldDescriptorProto) -> Option<&'static str> {
    match field.label() {
        Label::Required => Some("required"),
        Label::Repeated => Some("repeated"),
        Label::Optional => None,
    }
}

fn type_name(field: &FieldDescriptorProto) -> String {
    let scalar = match field.r#type() {
        Type::Message | Type::Enum | Type::Group => return field.type_name().to_owned(),
        scalar => scalar.as_str_name(),
    };
    scalar.trim_start_matches("TYPE_").to_ascii_lowercase()
}

/// Floats in their shortest decimal form; everything else as the descriptor has it.
fn default(field: &FieldDescriptorProto) -> Option<String> {
    let text = field.default_value.as_ref()?;
    let shortest = match field.r#type() {
        Type::Float => text.parse::<f32>().ok().map(|number| number.to_string()),
        Type::Double => text.parse::<f64>().ok().map(|number| number.to_string()),
        _ => None,
    };
    Some(shortest.map_or_else(|| text.clone(), |number| if number == "NaN" { "nan".to_owned() } else { number }))
}

fn derived_json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if std::mem::take(&mut upper) => out.push(c.to_ascii_uppercase()),
            c => out.push(c),
        }
    }
    out
}

fn enums(enums: &[EnumDescriptorProto]) -> Vec<Object> {
    by_name(enums, EnumDescriptorProto::name, enumeration)
}

fn enumeration(enumeration: &EnumDescriptorProto) -> Object {
    let mut values: Vec<_> = enumeration.value.iter().map(|value| (value.number(), value.name())).collect();
    values.sort_unstable();
    let value = |(number, name)| Object::default().with("name", name).with("number", number);
    let ranges = enumeration.reserved_range.iter().map(|range| (range.start(), range.end()));
    let allow_alias = enumeration.options.as_ref().and_then(|options| options.allow_alias);
    let deprecated = enumeration.options.as_ref().and_then(|options| options.deprecated);
    let options =
        Object::default().maybe("allow_alias", allow_alias.map(truth)).maybe("deprecated", deprecated.map(truth));
    Object::default()
        .with("name", enumeration.name())
        .with("values", values.into_iter().map(value).collect::<Vec<_>>())
        .with("reserved_ranges", sorted_ranges(ranges))
        .with("reserved_names", reserved_names(&enumeration.reserved_name))
        .maybe("allow_alias", allow_alias)
        .maybe("deprecated", deprecated)
        .with("options", options)
}

fn services(services: &[ServiceDescriptorProto]) -> Vec<Object> {
    by_name(services, ServiceDescriptorProto::name, |service| {
        let methods = by_name(&service.method, MethodDescriptorProto::name, method);
        Object::default().with("name", service.name()).with("methods", methods)
    })
}

fn method(method: &MethodDescriptorProto) -> Object {
    let level = method.options.as_ref().and_then(|options| options.idempotency_level);
    let level = level.and_then(|level| method_options::IdempotencyLevel::try_from(level).ok());
    Object::default()
        .with("name", method.name())
        .with("input_type", method.input_type())
        .with("output_type", method.output_type())
        .maybe("client_streaming", method.client_streaming.filter(|streams| *streams))
        .maybe("server_streaming", method.server_streaming.filter(|streams| *streams))
        .maybe("idempotency_level", level.map(|level| level.as_str_name()))
}

fn extension(field: &FieldDescriptorProto) -> Object {
    Object::default()
        .with("name", field.name())
        .with("number", field.number())
        .with("extendee", field.extendee())
        .with("type_name", type_name(field))
        .maybe("label", label(field))
        .maybe("default", default(field))
        .maybe("deprecated", field.options.as_ref().and_then(|options| options.deprecated))
}

fn by_name<T>(items: &[T], name: impl Fn(&T) -> &str, model: impl Fn(&T) -> Object) -> Vec<Object> {
    let mut items: Vec<_> = items.iter().collect();
    items.sort_by_key(|item| name(item).to_owned());
    items.into_iter().map(model).collect()
}

fn sorted_ranges(ranges: impl Iterator<Item = (i32, i32)>) -> Vec<Object> {
    let mut ranges: Vec<_> = ranges.collect();
    ranges.sort_unstable();
    ranges.into_iter().map(|(start, end)| Object::default().with("start", start).with("end", end)).collect()
}

fn reserved_names(names: &[String]) -> Json {
    let mut names = names.to_vec();
    names.sort();
    names.into_iter().map(|name| Object::default().with("name", name)).collect::<Vec<_>>().into()
}
