//! The program: all of it is in the library's [`cli`](customer_profile::cli).

use std::process::ExitCode;

fn main() -> ExitCode {
    customer_profile::cli::main()
}
