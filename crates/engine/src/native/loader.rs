use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_crypto::Digest;

use super::error::LoadError;
use super::image::{Image, Mapped};
use super::v2::{self, Functions};

/// The loaders of all packages that are prepared, and of all whose image stays mapped: one for each library, however often its
/// package is attached.
static LOADERS: LazyLock<Mutex<HashMap<Digest, Arc<Loader>>>> = LazyLock::new(Mutex::default);

/// What maps a library: once for all of its instances, or once for each, as its ABI has it.
pub(super) struct Loader(Mutex<Known>);

enum Known {
    Nothing(Bytes),
    /// Each instance has an image of its own.
    V1(Bytes),
    /// All instances share one, which stays mapped until the process ends.
    V2(Functions),
}

/// A library that is mapped and has not been asked for an instance.
pub(super) enum Loaded {
    V1(Image),
    V2(Functions),
}

impl Loader {
    /// The loader of a library.
    pub(super) fn of(library: &Bytes) -> Arc<Self> {
        let digest = Digest::of(library);
        let mut loaders = LOADERS.lock();
        loaders.retain(|_, loader| Arc::strong_count(loader) > 1 || loader.is_shared());
        let new = || Arc::new(Self(Mutex::new(Known::Nothing(library.clone()))));
        Arc::clone(loaders.entry(digest).or_insert_with(new))
    }

    /// Whether an image is there, to be used again.
    fn is_shared(&self) -> bool {
        self.0.try_lock().is_none_or(|known| matches!(*known, Known::V2(_)))
    }

    /// Maps the library, or finds it mapped. Its constructors run on this thread; others who want the same library wait for them.
    pub(super) fn load(&self) -> Result<Loaded, LoadError> {
        let mut known = self.0.lock();
        let library = match &*known {
            Known::Nothing(library) => library.clone(),
            Known::V1(library) => {
                let library = library.clone();
                drop(known);
                return Mapped::new(&library)?.into_v1().map(Loaded::V1);
            }
            Known::V2(functions) => return Ok(Loaded::V2(*functions)),
        };
        let mapped = Mapped::new(&library)?;
        if let Some(functions) = v2::find(mapped.library())? {
            *known = Known::V2(functions);
            return Ok(Loaded::V2(functions));
        }
        let image = mapped.into_v1()?;
        *known = Known::V1(library);
        Ok(Loaded::V1(image))
    }
}
