//! bodh-tests
