//! Nothing by itself: the tests of the whole are in `tests/tests`, one binary each for the house rules, the proof over
//! the policies, the table of permissions, the scenarios, the attacks and the crashes. `tests/run` runs them all.
