use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use wasmtime::Store;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Accessor, Component, ComponentExportIndex, ComponentNamedList, GuestTaskId, Instance, Lift, Lower, TypedFunc,
};

use super::guest::Guest;
use super::refusal::Refusal;

/// The functions of an exported interface, to be found and checked once per component.
pub(super) struct Exports<'a> {
    component: &'a Component,
    interface: &'a str,
    index: ComponentExportIndex,
}

impl<'a> Exports<'a> {
    pub(super) fn new(component: &'a Component, interface: &'a str) -> Result<Self, Refusal> {
        match component.get_export(None, interface) {
            Some((ComponentItem::ComponentInstance(_), index)) => Ok(Self { component, interface, index }),
            _ => Err(Refusal::World { exports: names(component) }),
        }
    }

    /// Whether there is an export of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.component.get_export(Some(&self.index), name).is_some()
    }

    /// The function of that name, if its type is that of `P` and `R`.
    pub(super) fn function<P, R>(&self, name: &str) -> Result<Export<P, R>, Refusal>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let missing = || Refusal::MissingFunction { interface: self.interface.to_owned(), function: name.to_owned() };
        let Some((ComponentItem::ComponentFunc(ty), index)) = self.component.get_export(Some(&self.index), name) else {
            return Err(missing());
        };
        ty.typecheck::<P, R>(&self.component.component_type().instance_type()).map_err(|error| Refusal::Shape {
            interface: self.interface.to_owned(),
            item: name.to_owned(),
            reason: format!("{error:#}"),
        })?;
        Ok(Export { index, types: PhantomData })
    }
}

fn names(component: &Component) -> String {
    let ty = component.component_type();
    let names: Vec<_> = ty.exports(component.engine()).map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A function that a component exports, with its checked type.
pub(super) struct Export<P, R> {
    index: ComponentExportIndex,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Export<P, R>
where
    P: ComponentNamedList + Lower + Send + Sync + 'static,
    R: ComponentNamedList + Lift + Send + Sync + 'static,
{
    /// The function in one instance, for those that are called often.
    pub(super) fn of(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<TypedFunc<P, R>> {
        instance.get_typed_func(store, self.index)
    }

    /// Calls the function once. Boxed, so that a request does not carry the room that the rarer events need.
    pub(super) fn call<'a>(
        &'a self,
        store: &'a mut Store<Guest>,
        instance: &'a Instance,
        params: P,
    ) -> Pin<Box<dyn Future<Output = wasmtime::Result<R>> + Send + 'a>> {
        Box::pin(async move { self.of(store, instance)?.call_async(store, params).await })
    }

    /// Calls the function once, beside others in the same instance. `begin` hears of the task before it runs.
    pub(super) async fn call_concurrent(
        &self,
        accessor: &Accessor<Guest>,
        instance: &Instance,
        params: P,
        begin: impl FnOnce(&mut Guest, GuestTaskId),
    ) -> wasmtime::Result<R> {
        let (function, call) = accessor.with(|mut access| {
            let function: TypedFunc<P, R> = instance.get_typed_func(&mut access, self.index)?;
            let call = function.start_call_concurrent(&mut access, params)?;
            begin(access.data_mut(), call.task());
            wasmtime::error::Ok((function, call))
        })?;
        function.finish_call_concurrent(accessor, call).await
    }
}
