//! A server that asks for no credential.

use std::path::Path;

use crate::support::program::run;

#[test]
fn it_listens_to_its_own_machine_unless_that_is_allowed_too() {
    let serve = |more: &[&str]| {
        let args = ["serve", "--insecure", "--model", "/no/such/model"];
        run(Path::new("/"), args.iter().chain(more)).failed(1)
    };
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = serve(&["--grpc-address", address]);
        assert!(
            error.contains("`auth.insecure` needs a loopback address"),
            "{error}"
        );
        let allowed = [
            "--grpc-address",
            address,
            "--set",
            "auth.insecure_any_address=true",
        ];
        // The configuration is right; the model file is the next thing that is looked at.
        assert!(serve(&allowed).contains("/no/such/model"));
    }
    for address in ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0"] {
        assert!(serve(&["--grpc-address", address]).contains("/no/such/model"));
    }
}
