//! Listening sockets.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// Listens on an address. `[::]` takes IPv4 and IPv6; where IPv6 is off, IPv4 alone, which the log
/// tells.
///
/// # Errors
/// Those of the system: the address is in use, not of this machine, or not permitted.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match bind(address) {
        Err(error)
            if address.ip().is_unspecified() && address.is_ipv6() && is_without_ipv6(&error) =>
        {
            let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port());
            tracing::warn!(%address, %error, "this machine has no IPv6; listening on IPv4 alone");
            bind(address)
        }
        bound => bound,
    }
}

/// Whether the error says that the machine has no IPv6 (built without it, or disabled by a setting
/// of the kernel).
fn is_without_ipv6(error: &io::Error) -> bool {
    [
        Errno::AFNOSUPPORT,
        Errno::ADDRNOTAVAIL,
        Errno::PROTONOSUPPORT,
    ]
    .iter()
    .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // Whether `[::]` takes IPv4 too is a setting of the kernel otherwise.
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn the_unspecified_ipv6_address_takes_both_families() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.expect("IPv4");
        if listener.local_addr().unwrap().is_ipv6() {
            TcpStream::connect(("::1", port)).await.expect("IPv6");
        }
    }

    #[tokio::test]
    async fn an_address_in_use_is_an_error_and_no_reason_for_another_address() {
        let taken = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = listen(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn only_a_missing_family_falls_back() {
        assert!(is_without_ipv6(&Errno::AFNOSUPPORT.into()));
        assert!(!is_without_ipv6(&Errno::ADDRINUSE.into()));
        assert!(!is_without_ipv6(&Errno::ACCESS.into()));
    }
}
