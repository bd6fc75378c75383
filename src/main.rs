//! The program: all of it is in the library's [`cli`](customer_profile::cli).

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A write makes and drops many small values, on whichever thread it comes to.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    customer_profile::cli::main()
}
