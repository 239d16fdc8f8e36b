//! Stands for the standard library's `thread_local!`: the checker's threads all run on one of the system's.

use std::cell::{Cell, RefCell};

/// Declares variables of the checker's threads.
macro_rules! thread_local {
    ($($(#[$meta:meta])* static $name:ident: $type:ty = const $init:block);+ $(;)?) => {$(
        $(#[$meta])*
        static $name: $crate::local::Local<$type> = $crate::local::Local(shuttle::thread::LocalKey {
            init: || $init,
            _p: std::marker::PhantomData,
        });
    )+};
}

/// A variable of each of the checker's threads, with the methods of the standard library's.
pub(crate) struct Local<T: 'static>(pub(crate) shuttle::thread::LocalKey<T>);

impl<T: 'static> Local<T> {
    pub(crate) fn try_with<R>(&'static self, with: impl FnOnce(&T) -> R) -> Result<R, shuttle::thread::AccessError> {
        self.0.try_with(with)
    }
}

impl<T: 'static> Local<Cell<T>> {
    pub(crate) fn set(&'static self, value: T) {
        self.0.with(|cell| cell.set(value));
    }

    pub(crate) fn replace(&'static self, value: T) -> T {
        self.0.with(|cell| cell.replace(value))
    }

    pub(crate) fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.0.with(Cell::get)
    }
}

impl<T: 'static> Local<RefCell<T>> {
    pub(crate) fn with_borrow<R>(&'static self, with: impl FnOnce(&T) -> R) -> R {
        self.0.with(|cell| with(&cell.borrow()))
    }

    pub(crate) fn with_borrow_mut<R>(&'static self, with: impl FnOnce(&mut T) -> R) -> R {
        self.0.with(|cell| with(&mut cell.borrow_mut()))
    }
}
