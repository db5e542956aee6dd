//! An engine: a mode with its settings, and the types it shares with its siblings.

use crate::executor::Executor;
use crate::limits::Settings;
use crate::types::TypeRegistry;
use std::sync::Arc;

/// A mode with its settings. Cheap to clone; clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    executor: &'static dyn Executor,
    settings: Settings,
    types: Arc<TypeRegistry>,
}

impl Engine {
    pub(crate) fn from_parts(
        executor: &'static dyn Executor,
        settings: Settings,
        types: Arc<TypeRegistry>,
    ) -> Engine {
        let guard_regions = executor.uses_guard_regions() && !settings.explicit_bounds;
        let settings = Settings { guard_regions, ..settings };
        Engine(Arc::new(Inner { executor, settings, types }))
    }

    pub(crate) fn executor(&self) -> &'static dyn Executor {
        self.0.executor
    }

    pub(crate) fn shared_types(&self) -> Arc<TypeRegistry> {
        self.0.types.clone()
    }

    /// What it is set to.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The canonical types of this engine and its siblings.
    pub fn types(&self) -> &TypeRegistry {
        &self.0.types
    }

    /// Whether both are clones of one engine.
    pub fn same(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether modules of one can be prepared for the other: they share canonical types.
    pub fn is_sibling(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0.types, &other.0.types)
    }
}
