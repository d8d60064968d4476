//! The command with its gallery: by the real binary, and by the parts that it is made of.
#![cfg(not(loom))]

mod cli;
mod commands;
mod corpus;
mod documents;
mod exhibits;
mod golden;
mod io;
mod matrix;
mod support;
