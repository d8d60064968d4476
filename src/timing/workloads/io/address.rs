//! Addresses that a user gives.

use hyper::Uri;
use hyper::http::uri::Scheme;

use crate::timing::Failed;

/// Refuses an address that cannot be downloaded from.
///
/// # Errors
///
/// If it is none, or not an http one: what to do.
pub(super) fn check(url: &str) -> Result<(), Failed> {
    let refused = |why: &str| Err(Failed::Refused(format!("`{url}` {why}")));
    let Ok(uri) = url.parse::<Uri>() else {
        return refused("is no address: write it as http://localhost:8000/page");
    };
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTP => Ok(()),
        Some(scheme) if *scheme == Scheme::HTTPS => {
            refused("cannot be downloaded: https is not supported, only http is")
        }
        _ => refused("is no http address: write it as http://localhost:8000/page"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_addresses_are_taken() {
        let refusal = |url| check(url).expect_err(url).to_string();
        assert_eq!(check("http://localhost"), Ok(()));
        assert_eq!(check("http://127.0.0.1:8000/a?b=c"), Ok(()));
        assert!(refusal("https://localhost/").contains("https is not supported"));
        for url in [
            "localhost",
            "/page",
            "ftp://localhost/",
            "",
            "http://",
            "http:// x/",
        ] {
            assert!(refusal(url).contains("write it as http://"), "{url}");
        }
    }
}
