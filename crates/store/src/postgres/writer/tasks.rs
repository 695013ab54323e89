use std::collections::VecDeque;

use crate::error::StoreError;
use crate::model::Durability;
use crate::postgres::group::{Group, Held};
use crate::postgres::write::Task;

pub(super) type Tasks = Vec<Box<dyn Task>>;

pub(super) fn encode(tasks: &Tasks) -> Group {
    let mut group = Group::default();
    tasks.iter().for_each(|task| task.encode(&mut group));
    group
}

pub(super) fn fail(tasks: Tasks, error: &StoreError) {
    tasks.into_iter().for_each(|task| task.fail(error.clone()));
}

/// Those that need what others hold, and the rest.
pub(super) fn split_held(tasks: Tasks, held: &Held) -> (Tasks, Tasks) {
    let mut before = 0;
    tasks.into_iter().partition(|task| {
        let mut alone = Group::default();
        task.encode(&mut alone);
        let needs = alone.needs(held, before);
        before += alone.steps();
        needs
    })
}

pub(super) fn halve(mut tasks: Tasks, groups: &mut VecDeque<Tasks>) {
    let rest = tasks.split_off(tasks.len() / 2);
    groups.push_front(rest);
    groups.push_front(tasks);
}

/// Answers those that asked for more than there is.
pub(super) fn refuse_stronger(tasks: Tasks, has: Durability) -> Tasks {
    let (refused, kept): (Tasks, Tasks) = tasks.into_iter().partition(|task| task.durability() > has);
    for task in refused {
        let wanted = task.durability();
        task.fail(StoreError::DurabilityMissing { wanted, has });
    }
    kept
}
