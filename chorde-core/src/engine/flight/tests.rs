//! Placeholder for the module's tests.
