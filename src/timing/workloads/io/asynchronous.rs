//! A session that all tasks of an event loop share: the client of hyper-util.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::Uri;
use hyper::body::{Body, Bytes};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time;

use super::Connections;
use super::problem::{MOST_BYTES, Problem};

/// The connections of the tasks of one event loop. Clones are the same session.
#[derive(Clone, Debug)]
pub(super) struct Session {
    client: Client<HttpConnector, Empty<Bytes>>,
    timeout: Duration,
}

impl Session {
    /// A session without connections yet, whose downloads may take so long each.
    pub(super) fn new(timeout: Duration, connections: Connections) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        if connections == Connections::Fresh {
            client.pool_max_idle_per_host(0);
        }
        // A request that is made again would be counted twice.
        let client = client.retry_canceled_requests(false).build(connector);
        Session { client, timeout }
    }

    /// Downloads a page.
    ///
    /// # Errors
    ///
    /// If there is no answer, if it is none, or if not all of it comes.
    pub(super) async fn download(&self, url: &str) -> Result<Vec<u8>, Problem> {
        let download = time::timeout(self.timeout, self.without_limit(url)).await;
        download.map_err(|_| Problem::TimedOut(self.timeout))?
    }

    async fn without_limit(&self, url: &str) -> Result<Vec<u8>, Problem> {
        let uri: Uri = url.parse().map_err(|error| Problem::of_chain(&error))?;
        let response = self.client.get(uri).await;
        let response = response.map_err(|error| Problem::of_chain(&error))?;
        if !response.status().is_success() {
            return Err(Problem::of_status(response.status(), response.headers()));
        }
        let mut incoming = response.into_body();
        let announced = incoming.size_hint().exact();
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame
                .map_err(|error| Problem::of_chain(&error).in_body(body.len() as u64, announced))?;
            if let Ok(data) = frame.into_data() {
                body.extend_from_slice(&data);
                if body.len() as u64 > MOST_BYTES {
                    return Err(Problem::TooLarge);
                }
            }
        }
        Ok(body)
    }
}
