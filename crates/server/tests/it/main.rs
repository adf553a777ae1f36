//! The platform from outside: its API as the portal and other systems call it, its stores as departments
//! see them, its process as an administrator runs it.

mod road;
mod support;
