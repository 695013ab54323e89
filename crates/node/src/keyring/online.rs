//! The same for the actors of a node that runs.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;

use playhouse_crypto::KeySlot;
use playhouse_store::{ActorInfo, Store};
use playhouse_types::ActorId;

use super::{ActorKeys, KeyringError, MasterKeys, Resealed};
use crate::error::NodeError;
use crate::node::Node;

impl Node {
    /// The keys of an actor with their public halves; what is secret of them stays where it is.
    ///
    /// # Errors
    /// No such actor runs here, the node has no store or no master key, or [`MasterKeys::actor_keys`] fails.
    pub async fn actor_keys(&self, id: &ActorId) -> Result<Vec<ActorKeys>, NodeError> {
        let (store, keys, actor) = self.keys_of(id).await?;
        Ok(keys.actor_keys(&*store, &actor).await?)
    }

    /// Gives a key of an actor one more version, which the actor's next operation uses; see [`MasterKeys::rotate_key`].
    ///
    /// # Errors
    /// As [`Node::actor_keys`]; or the key cannot have one.
    pub async fn rotate_key(&self, id: &ActorId, slot: &KeySlot) -> Result<u32, NodeError> {
        let (store, keys, actor) = self.keys_of(id).await?;
        Ok(keys.rotate_key(&*store, &actor, slot).await?)
    }

    /// Keeps only the newest versions of a key of an actor; see [`MasterKeys::retire_key`].
    ///
    /// # Errors
    /// As [`Node::actor_keys`]; or there is no such key.
    pub async fn retire_key(
        &self,
        id: &ActorId,
        slot: &KeySlot,
        keep: NonZeroUsize,
    ) -> Result<RangeInclusive<u32>, NodeError> {
        let (store, keys, actor) = self.keys_of(id).await?;
        Ok(keys.retire_key(&*store, &actor, slot, keep).await?)
    }

    /// Seals every key in the node's store under its current master key, while its actors go on; see [`MasterKeys::reseal`]. The node
    /// itself was started with the former ones as well.
    ///
    /// # Errors
    /// The node has no store or no master key, or the store fails.
    pub async fn reseal_keys(&self) -> Result<Resealed, NodeError> {
        let (store, keys) = self.keys()?;
        Ok(keys.reseal(&*store).await?)
    }

    fn keys(&self) -> Result<(Arc<dyn Store>, Arc<MasterKeys>), KeyringError> {
        let keeper = self.0.keeper.as_ref().ok_or(KeyringError::NoStore)?;
        let keys = self.0.given.masters.as_ref().ok_or(KeyringError::NoMasterKey)?;
        Ok((Arc::clone(&keeper.store), Arc::clone(keys)))
    }

    async fn keys_of(&self, id: &ActorId) -> Result<(Arc<dyn Store>, Arc<MasterKeys>, ActorInfo), NodeError> {
        let (store, keys) = self.keys()?;
        let unknown = || NodeError::NoActor { id: id.clone() };
        let cell = self.0.directory.get(id).ok_or_else(unknown)?;
        let (actor, _) = cell.lease().ok_or_else(unknown)?;
        let info = store.actor(actor).await.map_err(KeyringError::from)?;
        Ok((store, keys, info.ok_or_else(unknown)?))
    }
}
