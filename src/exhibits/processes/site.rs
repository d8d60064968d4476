//! A site whose pages processes download, and the sessions by which they do.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::SeqCst};
use crate::thread::{self, JoinHandle};

/// The sizes of the pages, in turn, in bytes.
const SIZES: [usize; 2] = [10_490, 278];

/// What the length of an answer stands behind.
const LENGTH: &str = "Content-Length:";

/// A server that keeps its connections, up to the end of this value.
pub(super) struct Site {
    address: SocketAddr,
    is_closed: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

/// A connection with a site that is kept. Answers come in the order of the requests, and do not say
/// to which of them they belong: so nobody else may use it.
pub(super) struct Session(BufReader<TcpStream>);

impl Session {
    /// Connects with a site.
    pub(super) fn open(site: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(site)?;
        // A request is small, and somebody waits for its answer.
        stream.set_nodelay(true)?;
        Ok(Session(BufReader::new(stream)))
    }

    /// Downloads a page.
    pub(super) fn download(&mut self, page: u64) -> io::Result<String> {
        let request = format!("GET /{page} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut length = None;
        for line in self.0.by_ref().lines() {
            let line = line?;
            if line.is_empty() {
                break;
            }
            length = line.strip_prefix(LENGTH).map(str::to_owned).or(length);
        }
        let length = length.and_then(|length| length.trim().parse().ok());
        let mut body = vec![0; length.ok_or(io::ErrorKind::UnexpectedEof)?];
        self.0.read_exact(&mut body)?;
        String::from_utf8(body).map_err(io::Error::other)
    }
}

impl Site {
    /// Opens it, on a port that is free.
    pub(super) fn open() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_closed = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&is_closed);
        let accept = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if closed.load(SeqCst) {
                    return;
                }
                // Whoever is not served finds the connection closed.
                let _ = thread::Builder::new().spawn(move || serve(stream));
            }
        };
        let serving = Some(thread::Builder::new().spawn(accept)?);
        Ok(Site {
            address,
            is_closed,
            serving,
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.is_closed.store(true, SeqCst);
        // The connection lets the server look. If there can be none, it goes with the process.
        if TcpStream::connect(self.address).is_ok()
            && let Some(serving) = self.serving.take()
        {
            let _ = serving.join();
        }
    }
}

/// Answers the requests of one connection, up to its end.
fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut answers = stream;
    while let Some(page) = next_request(&mut requests)? {
        let size = SIZES[(page + 1) % SIZES.len()];
        // The page says which one it is.
        let answer = format!("HTTP/1.1 200 OK\r\n{LENGTH} {size}\r\n\r\n{page:size$}");
        answers.write_all(answer.as_bytes())?;
    }
    Ok(())
}

/// The number of the page that is asked for next, or `None` at the end of the connection.
fn next_request(requests: &mut impl BufRead) -> io::Result<Option<usize>> {
    let mut page = None;
    for line in requests.lines() {
        let line = line?;
        if line.is_empty() {
            return page
                .map(Some)
                .ok_or_else(|| io::ErrorKind::InvalidData.into());
        }
        if let Some(rest) = line.strip_prefix("GET /") {
            page = rest
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok());
        }
    }
    Ok(None)
}
