//! `actr-componentize MODULE COMPONENT`: wraps a core module with embedded WIT metadata into a component.

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(module), Some(component)) = (args.next(), args.next()) else {
        panic!("usage: actr-componentize MODULE COMPONENT");
    };
    let bytes = std::fs::read(&module).expect("the module can be read");
    let made = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|mut encoder| encoder.encode())
        .expect("the module can be made into a component");
    std::fs::write(component, made).expect("the component can be written");
}
