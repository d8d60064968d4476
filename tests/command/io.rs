//! The embedded server, by a client that has nothing in common with those of the workload.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use racelab::timing::Failed;
use racelab::timing::workloads::io::{Fault, FaultKind, Serve, Server, ServerSettings};

const SIZES: [usize; 2] = [10_490, 278];

fn settings() -> ServerSettings {
    ServerSettings {
        port: 0,
        sizes: SIZES.to_vec(),
        latency: Duration::from_millis(1),
        jitter: Duration::ZERO,
        seed: 0,
        serve: Serve::Many,
        fault: None,
    }
}

fn faulty(kind: FaultKind) -> Server {
    let fault = Some(Fault { kind, after: 1 });
    Server::start(&ServerSettings {
        fault,
        ..settings()
    })
    .expect("a port is free")
}

/// A connection to a server.
struct Client(BufReader<TcpStream>);

/// What came of an answer before it was over, or before the connection was.
#[derive(Debug)]
struct Answer {
    status: String,
    /// How many bytes were announced.
    length: usize,
    body: Vec<u8>,
}

impl Client {
    fn to(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Client(BufReader::new(stream)))
    }

    fn ask(&mut self, path: &str) -> io::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.get_mut().write_all(request.as_bytes())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end().to_lowercase()),
        }
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let mut length = 0;
        loop {
            let header = self.line()?;
            if header.is_empty() {
                break;
            }
            if let Some(bytes) = header.strip_prefix("content-length: ") {
                length = bytes.parse().expect("a number");
            }
        }
        let mut body = Vec::new();
        self.0.by_ref().take(length as u64).read_to_end(&mut body)?;
        Ok(Answer {
            status,
            length,
            body,
        })
    }

    fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.ask(path)?;
        self.answer()
    }
}

#[test]
fn pages_have_their_sizes_and_a_connection_is_kept() {
    let server = Server::start(&settings()).expect("a port is free");
    let mut client = Client::to(server.address()).expect("it listens");
    let mut bodies = Vec::new();
    for _ in 0..3 {
        for (path, size) in ["/first", "/second"].into_iter().zip(SIZES) {
            let answer = client.get(path).expect("an answer");
            assert_eq!(answer.status, "http/1.1 200 ok");
            assert_eq!(answer.length, size);
            assert_eq!(answer.body.len(), size);
            bodies.push(answer.body);
        }
    }
    assert_eq!(bodies[0..2], bodies[2..4]);
    assert_eq!(bodies[0..2], bodies[4..6]);
    assert_eq!(server.connections(), 1);
    assert_eq!(server.served(), 6);
    assert_eq!(server.peak_in_flight(), 1);
    server.reset();
    assert_eq!(server.served(), 0);
    assert_eq!(server.connections(), 0);
    assert_eq!(server.peak_in_flight(), 0);
}

#[test]
fn its_addresses_are_those_of_its_pages() {
    let server = Server::start(&settings()).expect("a port is free");
    let address = server.address();
    assert!(address.ip().is_loopback());
    let expected = ["first", "second"].map(|page| format!("http://{address}/{page}"));
    assert_eq!(server.urls(), expected);
}

#[test]
fn what_is_not_there_is_not_found_and_not_counted() {
    let server = Server::start(&settings()).expect("a port is free");
    let mut client = Client::to(server.address()).expect("it listens");
    let answer = client.get("/third").expect("an answer");
    assert_eq!(answer.status, "http/1.1 404 not found");
    assert_eq!(server.served(), 0);
}

#[test]
fn empty_pages_are_answered_and_counted() {
    let sizes = [0, 1];
    let server = Server::start(&ServerSettings {
        sizes: sizes.to_vec(),
        ..settings()
    })
    .expect("a port is free");
    let mut client = Client::to(server.address()).expect("it listens");
    assert_eq!(client.get("/first").expect("an answer").body, b"");
    assert_eq!(client.get("/second").expect("an answer").body.len(), 1);
    assert_eq!(server.served(), 2);
}

#[test]
fn an_answer_takes_the_latency_it_was_given() {
    let latency = Duration::from_millis(30);
    let server = Server::start(&ServerSettings {
        latency,
        ..settings()
    })
    .expect("a port is free");
    let mut client = Client::to(server.address()).expect("it listens");
    for _ in 0..5 {
        let asked = Instant::now();
        client.get("/second").expect("an answer");
        assert!(asked.elapsed() >= latency);
    }
}

/// Asks on as many connections before the first answer is read.
fn ask_at_once(server: &Server, requests: usize) {
    let mut clients: Vec<Client> = (0..requests)
        .map(|_| Client::to(server.address()).expect("it listens"))
        .collect();
    for client in &mut clients {
        client.ask("/second").expect("it reads");
    }
    for client in &mut clients {
        assert_eq!(client.answer().expect("an answer").body.len(), SIZES[1]);
    }
}

#[test]
fn requests_are_served_at_once_or_one_after_another() {
    // Longer than the slowest machine takes to ask four times, where all have to overlap.
    let long = Duration::from_secs(2);
    let short = Duration::from_millis(20);
    for (serve, latency, turns, peak) in [(Serve::Many, long, 1, 4), (Serve::One, short, 4, 1)] {
        let server = Server::start(&ServerSettings {
            serve,
            latency,
            ..settings()
        })
        .expect("a port is free");
        let began = Instant::now();
        ask_at_once(&server, 4);
        assert_eq!(server.peak_in_flight(), peak);
        assert_eq!(server.served(), 4);
        assert_eq!(server.connections(), 4);
        assert!(began.elapsed() >= turns * latency);
    }
}

#[test]
fn more_connections_than_a_usual_queue_holds_are_accepted() {
    let server = Server::start(&settings()).expect("a port is free");
    ask_at_once(&server, 300);
    assert_eq!(server.served(), 300);
}

#[test]
fn a_server_ends_with_its_value() {
    let server = Server::start(&settings()).expect("a port is free");
    let address = server.address();
    let mut client = Client::to(address).expect("it listens");
    client.get("/second").expect("an answer");
    drop(server);
    assert!(client.get("/second").is_err());
}

#[test]
fn a_request_that_is_not_answered_yet_does_not_hold_up_the_end() {
    let server = Server::start(&ServerSettings {
        latency: Duration::from_hours(1),
        ..settings()
    })
    .expect("a port is free");
    let mut client = Client::to(server.address()).expect("it listens");
    client.ask("/first").expect("it reads");
    while server.peak_in_flight() == 0 {
        thread::yield_now();
    }
    assert_eq!(server.served(), 0);
    drop(server);
    assert!(client.answer().is_err());
}

#[test]
fn two_servers_cannot_have_one_port() {
    let first = Server::start(&settings()).expect("a port is free");
    let second = Server::start(&ServerSettings {
        port: first.address().port(),
        ..settings()
    });
    let Err(Failed::Refused(why)) = second else {
        panic!("{second:?}");
    };
    assert!(why.contains(&first.address().port().to_string()), "{why}");
    assert!(why.contains("taken"), "{why}");
}

#[test]
fn a_server_that_stops_closes_everything() {
    let server = faulty(FaultKind::Stop);
    let address = server.address();
    let mut client = Client::to(address).expect("it listens");
    let mut idle = Client::to(address).expect("it listens");
    client.get("/first").expect("an answer");
    let closed = client.get("/first").expect_err("no answer");
    assert_eq!(closed.kind(), ErrorKind::UnexpectedEof);
    assert!(idle.get("/first").is_err());
    // The connections are closed before the listener is, or after it.
    while Client::to(address).is_ok() {
        thread::yield_now();
    }
    assert_eq!(server.served(), 1);
}

#[test]
fn a_server_that_resets_does_so_on_one_connection() {
    let server = faulty(FaultKind::Reset);
    let mut client = Client::to(server.address()).expect("it listens");
    client.get("/first").expect("an answer");
    let reset = client.get("/first").expect_err("no answer");
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert!(Client::to(server.address()).is_ok());
}

#[test]
fn a_server_that_fails_says_so_in_the_status() {
    let server = faulty(FaultKind::Status500);
    let mut client = Client::to(server.address()).expect("it listens");
    client.get("/first").expect("an answer");
    let answer = client.get("/first").expect("an answer");
    assert_eq!(answer.status, "http/1.1 500 internal server error");
    assert_eq!(server.served(), 1);
}

#[test]
fn a_short_body_is_announced_in_full() {
    let server = faulty(FaultKind::ShortBody);
    let mut client = Client::to(server.address()).expect("it listens");
    let whole = client.get("/first").expect("an answer").body;
    let short = client.get("/first").expect("a part of an answer");
    assert_eq!(short.status, "http/1.1 200 ok");
    assert_eq!(short.length, SIZES[0]);
    assert_eq!(short.body, whole[..SIZES[0] / 2]);
    assert_eq!(server.served(), 1);
}

#[test]
fn a_wrong_body_differs_in_one_byte() {
    let server = faulty(FaultKind::WrongBody);
    let mut client = Client::to(server.address()).expect("it listens");
    let right = client.get("/first").expect("an answer").body;
    let wrong = client.get("/first").expect("an answer").body;
    assert_eq!(wrong.len(), right.len());
    let different = right
        .iter()
        .zip(&wrong)
        .filter(|(right, wrong)| right != wrong);
    assert_eq!(different.count(), 1);
}
