//! A session that blocks its thread: ureq's agent.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::Connections;
use super::problem::{MOST_BYTES, Problem};

/// The connections of one thread.
#[derive(Debug)]
pub(super) struct Session {
    agent: Agent,
    timeout: Duration,
}

impl Session {
    /// A session without connections yet, whose downloads may take so long each.
    pub(super) fn new(timeout: Duration, connections: Connections) -> Self {
        let config = Agent::config_builder();
        let config = match connections {
            Connections::Kept => config,
            Connections::Fresh => config.max_idle_connections(0),
        };
        let config = config
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // As the client of the event loop, which does neither: what is timed is one download.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .build();
        Session {
            agent: Agent::with_parts(config, DefaultConnector::new(), Addresses::default()),
            timeout,
        }
    }

    /// Downloads a page.
    ///
    /// # Errors
    ///
    /// If there is no answer, if it is none, or if not all of it comes.
    pub(super) fn download(&self, url: &str) -> Result<Vec<u8>, Problem> {
        let response = self.agent.get(url).call();
        let mut response = response.map_err(|error| self.problem(error))?;
        if !response.status().is_success() {
            return Err(Problem::of_status(response.status(), response.headers()));
        }
        let announced = response.body().content_length();
        let mut body = Vec::new();
        let reader = response.body_mut().as_reader();
        match reader.take(MOST_BYTES + 1).read_to_end(&mut body) {
            Ok(_) if body.len() as u64 > MOST_BYTES => Err(Problem::TooLarge),
            Ok(_) => Ok(body),
            Err(error) => {
                let problem = self.problem(error.into());
                Err(problem.in_body(body.len() as u64, announced))
            }
        }
    }

    fn problem(&self, error: ureq::Error) -> Problem {
        match error {
            ureq::Error::Io(error) => Problem::of_io(&error),
            ureq::Error::Timeout(_) => Problem::TimedOut(self.timeout),
            ureq::Error::HostNotFound => Problem::UnknownHost,
            other => Problem::Other(other.to_string()),
        }
    }
}

/// The addresses of hosts. One that is an address already is taken as it is: for each name, ureq starts
/// a thread, which takes time and is not always to be had.
#[derive(Debug, Default)]
struct Addresses {
    of_names: DefaultResolver,
}

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some(address) = literal(uri) else {
            return self.of_names.resolve(uri, config, timeout);
        };
        let mut addresses = self.empty();
        addresses.push(address);
        Ok(addresses)
    }
}

/// The address in a URI, if that has no name in its place.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let address = DefaultResolver::host_and_port(uri.scheme()?, uri.authority()?)?;
    address.parse().ok()
}
