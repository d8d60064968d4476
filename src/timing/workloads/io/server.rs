//! A web server on the loopback interface, whose answers take as long as they are told to.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use super::alarm::Alarm;
use super::answer::{Answer, CutOff};
use super::content::body_of;
use super::delays::Delays;
use super::fault::{Fault, FaultKind};
use super::requests::{Requests, Serve};
use super::thread_clock::cpu_time_of;
use crate::timing::Failed;
use crate::timing::workers::event_loop;

/// The paths of the pages that a server can have.
pub(super) const PATHS: [&str; 5] = ["/first", "/second", "/third", "/fourth", "/fifth"];

/// How many connections may wait to be accepted: more than any workload begins at once. What std
/// and tokio take by default is less, and then the system lets a client try again after a second.
const BACKLOG: u32 = 4096;

/// How long an answer may take at most, its jitter not counted: times that are too far away to be
/// reckoned with are nobody's wish.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long to wait when no connection can be accepted, as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

/// What a server is to do.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The port of the loopback interface. 0 is any free one.
    pub port: u16,
    /// The sizes of its pages, in bytes: five pages at most.
    pub sizes: Vec<usize>,
    /// How long each answer takes, from the arrival of the request.
    pub latency: Duration,
    /// How much longer it may take at most: how much is drawn for each request.
    pub jitter: Duration,
    /// What the jitter is drawn from.
    pub seed: u64,
    /// Whether requests wait for each other.
    pub serve: Serve,
    /// What goes wrong, if anything.
    pub fault: Option<Fault>,
}

/// A web server of a few pages, on the loopback interface, on a thread of its own. It ends when this
/// is dropped.
///
/// Connections are kept alive. Requests are numbered in the order in which they arrive, and a
/// request with this number has the same jitter each time.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections have in common.
#[derive(Debug)]
struct Shared {
    pages: Vec<Bytes>,
    fault: Option<Fault>,
    requests: Requests,
    alarm: Alarm,
    orders: UnboundedSender<Order>,
}

/// What the thread of the server is told.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Accept no connections any more, and close those that there are.
    Close,
    /// End.
    End,
}

impl Server {
    /// Starts a server. When this returns, connections are accepted.
    ///
    /// # Errors
    ///
    /// If the port is taken or may not be used, if there are too many pages, if an answer is to take longer than an hour, or if
    /// the system gives no thread.
    pub fn start(settings: &ServerSettings) -> Result<Self, Failed> {
        if settings.latency.max(settings.jitter) > LONGEST {
            return Err(Failed::Refused(
                "an answer may take an hour at most, and its jitter too".to_owned(),
            ));
        }
        if settings.sizes.len() > PATHS.len() {
            return Err(Failed::Refused(format!(
                "a server has {} pages at most, not {}",
                PATHS.len(),
                settings.sizes.len()
            )));
        }
        let pages = settings
            .sizes
            .iter()
            .map(|size| Bytes::from(body_of(*size)));
        let runtime = event_loop()?;
        let listener = {
            let _context = runtime.enter();
            listen(settings.port).map_err(|error| no_port(settings.port, &error))?
        };
        let address = listener.local_addr().map_err(|error| no_thread(&error))?;
        let (orders, received) = unbounded_channel();
        let delays = Delays::new(settings.latency, settings.jitter, settings.seed);
        let shared = Arc::new(Shared {
            pages: pages.collect(),
            fault: settings.fault,
            requests: Requests::new(delays, settings.serve),
            alarm: Alarm::start().map_err(|error| no_thread(&error))?,
            orders,
        });
        let thread = thread::Builder::new().name("io server".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || runtime.block_on(run(listener, shared, received))
        });
        Ok(Server {
            address,
            shared,
            thread: Some(thread.map_err(|error| no_thread(&error))?),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The addresses of its pages.
    pub fn urls(&self) -> Vec<String> {
        let paths = PATHS.iter().take(self.shared.pages.len());
        let urls = paths.map(|path| format!("http://{}{path}", self.address));
        urls.collect()
    }

    /// How many requests were answered completely: with the page, all of it.
    pub fn served(&self) -> u64 {
        self.shared.requests.answered()
    }

    /// The most requests that were under way at once: begun, and not yet answered. One that waits
    /// for its turn was not begun.
    pub fn peak_in_flight(&self) -> u64 {
        self.shared.requests.peak_in_flight()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.requests.connections()
    }

    /// The processor time that the server has taken since it was started: 0 where the system does
    /// not tell.
    pub fn cpu_time(&self) -> Duration {
        let own = self.thread.as_ref().map_or(Duration::ZERO, cpu_time_of);
        own + self.shared.alarm.cpu_time()
    }

    /// Lets the counts begin anew, and the jitter too. The processor time goes on.
    pub fn reset(&self) {
        self.shared.requests.reset();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that the thread has ended.
        let _ = self.shared.orders.send(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The fault, if the request with this number is to meet it.
    fn fault_for(&self, number: u64) -> Option<FaultKind> {
        let fault = self.fault.filter(|fault| fault.after <= number)?;
        Some(fault.kind)
    }
}

/// A listening socket of the loopback interface. It belongs to the current runtime.
fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // As std does: a port is free again as soon as its server has ended.
    socket.set_reuseaddr(cfg!(unix))?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    socket.listen(BACKLOG)
}

fn no_port(port: u16, error: &io::Error) -> Failed {
    let wrong = match error.kind() {
        io::ErrorKind::AddrInUse => "is taken by another program".to_owned(),
        io::ErrorKind::PermissionDenied => "is not for this user to open".to_owned(),
        _ => format!("cannot be opened: {error}"),
    };
    Failed::Refused(format!(
        "port {port} of {} {wrong}: choose another one, or none to get one that is free",
        Ipv4Addr::LOCALHOST
    ))
}

fn no_thread(error: &io::Error) -> Failed {
    Failed::NotGiven(format!(
        "the embedded server cannot be started: {error}; allow more processes and threads, or open \
         files (`ulimit`)"
    ))
}

/// The thread of the server.
async fn run(listener: TcpListener, shared: Arc<Shared>, mut orders: UnboundedReceiver<Order>) {
    let connections = tokio::spawn(accept(listener, shared));
    while let Some(Order::Close) = orders.recv().await {
        // With the task, the listener is dropped, and the connections, which are its tasks.
        connections.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                shared.requests.connected();
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
            Err(_) => shared.alarm.wait_until(Instant::now() + PAUSE).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    // Otherwise an answer may wait for the acknowledgement of the one before it.
    let mut ready = stream.set_nodelay(true);
    if shared.fault.map(|fault| fault.kind) == Some(FaultKind::Reset) {
        // A close is a reset then.
        ready = ready.and(stream.set_zero_linger());
    }
    if ready.is_err() {
        // The connection is gone again.
        return;
    }
    let service = service_fn(move |request| answer(Arc::clone(&shared), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // An error says that the client has gone, or that a fault has ended the connection: both are
    // seen by the client.
    let _ = connection.await;
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, CutOff> {
    let path = request.uri().path();
    let page = PATHS.iter().position(|known| *known == path);
    let Some(page) = page.and_then(|page| shared.pages.get(page)) else {
        return Ok(status(StatusCode::NOT_FOUND));
    };
    let under_way = shared.requests.begin().await;
    shared.alarm.wait_until(under_way.due).await;
    match shared.fault_for(under_way.number) {
        None => Ok(Response::new(Answer::whole(page.clone(), under_way))),
        Some(FaultKind::Stop) => {
            // An error says that the server ends anyway.
            let _ = shared.orders.send(Order::Close);
            std::future::pending().await
        }
        Some(FaultKind::Reset) => Err(CutOff),
        Some(FaultKind::Status500) => Ok(status(StatusCode::INTERNAL_SERVER_ERROR)),
        Some(FaultKind::ShortBody) => Ok(Response::new(Answer::half(page, under_way))),
        Some(FaultKind::WrongBody) => Ok(Response::new(Answer::whole(spoilt(page), under_way))),
    }
}

fn status(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::empty());
    *response.status_mut() = status;
    response
}

/// The page with a wrong byte in the middle of it.
fn spoilt(page: &Bytes) -> Bytes {
    let mut bytes = page.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    bytes.into()
}
