use std::sync::Weak;

use super::Keeper;

/// Has actors look for what other nodes, or programs beside this one, have put into their mailboxes: until the node or the store ends, or at
/// once if nobody else writes to the store.
pub(super) async fn follow(keeper: Weak<Keeper>) {
    loop {
        let open = keeper.upgrade().filter(|keeper| !keeper.is_closing());
        let Some(changed) = open.and_then(|keeper| keeper.store.changed()) else { return };
        let Ok(actors) = changed.await else { return };
        let Some(keeper) = keeper.upgrade() else { return };
        actors.into_iter().filter_map(|actor| keeper.cell(actor)).for_each(|cell| cell.look_again());
    }
}
