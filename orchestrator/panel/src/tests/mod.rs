//! Sessions played by a random world, and single ones told step by step.

mod amendments;
mod asking;
mod pairs;
mod promises;
mod stories;
mod world;
