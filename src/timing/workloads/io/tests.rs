//! Downloads from the embedded server, in all ways that need no processes.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

use tokio::net::TcpSocket;

use super::content::{Content, body_of};
use super::problem::Problem;
use super::*;
use crate::timing::workers::event_loop;
use crate::timing::{Activity, Lane};

const SYNC: Way = way(Method::Sync, 1);

const fn way(method: Method, workers: usize) -> Way {
    Way {
        method,
        variant: None,
        workers,
    }
}

fn serving() -> ServerSettings {
    ServerSettings {
        port: 0,
        sizes: vec![10_490, 278],
        latency: Duration::from_millis(1),
        jitter: Duration::ZERO,
        seed: 0,
        serve: Serve::Many,
        fault: None,
    }
}

fn settings(source: Source) -> DownloadSettings {
    DownloadSettings {
        source,
        items: 160,
        connections: Connections::Kept,
        ways: vec![SYNC],
        lines: None,
    }
}

fn io(serving: ServerSettings) -> Io {
    Io::new(settings(Source::Embedded(vec![serving]))).expect("a port is free")
}

fn run(io: &Io, way: Way) -> Result<(Done, Vec<Lane>), Failed> {
    let timeline = Timeline::recording();
    let done = io.run(&way, &timeline)?;
    Ok((done, timeline.take_lanes()))
}

fn server(io: &Io) -> &Server {
    let server = io.sites[0].server.as_ref();
    &server.expect("it has a server").server
}

/// The addresses of a server, as a user would give them.
fn urls(server: &Server) -> Source {
    Source::Urls(server.urls())
}

#[test]
fn every_way_comes_to_the_same_and_the_server_counts_each_download() {
    let io = io(serving());
    let expected = [10_490, 278].map(|size| Content::of(&body_of(size)).checksum);
    let expected = expected[0].wrapping_add(expected[1]).wrapping_mul(80);
    let ways = [
        SYNC,
        way(Method::Threads, 1),
        way(Method::Threads, 5),
        way(Method::Threads, 30),
        way(Method::Async, 7),
        way(Method::Async, 160),
    ];
    for way in ways {
        let (done, lanes) = run(&io, way).expect("nothing goes wrong");
        assert_eq!(done.checksum, format!("{expected:016x}"), "{way:?}");
        assert_eq!(server(&io).served(), 160, "{way:?}");
        let peak = done.peak_in_flight.expect("the server counts");
        assert!((1..=way.workers as u64).contains(&peak), "{way:?}: {peak}");
        assert_eq!(lanes.len(), way.workers);
        let spans = lanes.iter().flat_map(|lane| &lane.spans);
        let waits = spans.filter(|span| span.activity == Activity::Wait);
        assert_eq!(waits.count(), 160, "{way:?}");
    }
}

#[test]
fn a_session_keeps_its_connection() {
    let io = io(serving());
    run(&io, SYNC).expect("nothing goes wrong");
    assert_eq!(server(&io).connections(), 1);
    let (_, lanes) = run(&io, way(Method::Threads, 5)).expect("nothing goes wrong");
    let at_work = lanes.iter().filter(|lane| !lane.spans.is_empty()).count();
    assert_eq!(server(&io).connections(), at_work as u64);
    run(&io, way(Method::Async, 5)).expect("nothing goes wrong");
    assert!(
        server(&io).connections() < 20,
        "{}",
        server(&io).connections()
    );
}

#[test]
fn a_fresh_connection_serves_one_download() {
    let mut settings = settings(Source::Embedded(vec![serving()]));
    settings.connections = Connections::Fresh;
    settings.items = 20;
    let io = Io::new(settings).expect("a port is free");
    for way in [SYNC, way(Method::Threads, 5), way(Method::Async, 5)] {
        run(&io, way).expect("nothing goes wrong");
        assert_eq!(server(&io).connections(), 20, "{way:?}");
    }
}

#[test]
fn tasks_whose_library_blocks_have_one_request_under_way() {
    let io = io(serving());
    let way = way(Method::AsyncBlocking, 160);
    let (done, lanes) = run(&io, way).expect("nothing goes wrong");
    assert_eq!(done.peak_in_flight, Some(1));
    assert_eq!(io.ideal(&way, None), Some(Duration::from_millis(160)));
    assert_eq!(server(&io).served(), 160);
    // The tasks take turns: each has one of the downloads.
    assert!(lanes.iter().all(|lane| !lane.spans.is_empty()));
}

#[test]
fn with_servers_of_both_kinds_each_way_is_measured_with_each() {
    let one = ServerSettings {
        serve: Serve::One,
        ..serving()
    };
    let mut settings = settings(Source::Embedded(vec![one, serving()]));
    settings.ways = vec![SYNC, way(Method::Threads, 8)];
    let io = Io::new(settings).expect("two ports are free");
    let found = io.ways().into_iter().map(|way| {
        let (done, _) = run(&io, way).expect("nothing goes wrong");
        let ideal = io.ideal(&way, None).expect("it is known");
        (
            way.to_string(),
            ideal.as_millis(),
            done.peak_in_flight == Some(1),
        )
    });
    let expected = [
        ("sync, served one by one", 160, true),
        ("sync, served at once", 160, true),
        ("threads, served one by one, 8 workers", 160, true),
        ("threads, served at once, 8 workers", 20, false),
    ];
    assert_eq!(
        found.collect::<Vec<_>>(),
        expected.map(|(way, ideal, is_one)| (way.to_owned(), ideal, is_one))
    );
    assert_eq!(io.parameters()["serve"], "one,many");
}

#[test]
fn five_pages_have_five_addresses() {
    let serving = ServerSettings {
        sizes: vec![1, 2, 3, 4, 5],
        ..serving()
    };
    let mut settings = settings(Source::Embedded(vec![serving]));
    settings.items = 5;
    let io = Io::new(settings).expect("a port is free");
    run(&io, SYNC).expect("nothing goes wrong");
    let urls = server(&io).urls();
    assert!(urls[4].ends_with("/fifth"), "{urls:?}");
    assert_eq!((urls.len(), server(&io).served()), (5, 5));
}

#[test]
fn all_tasks_have_a_request_under_way_at_once() {
    let mut serving = serving();
    // Longer than the slowest machine takes to send them.
    serving.latency = Duration::from_secs(2);
    let (done, _) = run(&io(serving), way(Method::Async, 160)).expect("nothing goes wrong");
    assert_eq!(done.peak_in_flight, Some(160));
}

#[test]
fn a_server_that_serves_one_at_a_time_has_one_in_flight() {
    let mut serving = serving();
    serving.serve = Serve::One;
    let io = io(serving);
    for way in [SYNC, way(Method::Threads, 8), way(Method::Async, 160)] {
        let (done, _) = run(&io, way).expect("nothing goes wrong");
        assert_eq!(done.peak_in_flight, Some(1), "{way:?}");
        assert_eq!(io.ideal(&way, None), Some(Duration::from_millis(160)));
    }
}

#[test]
fn no_answer_comes_before_its_time() {
    let mut serving = serving();
    serving.latency = Duration::from_millis(10);
    serving.jitter = Duration::from_millis(5);
    let waits: Vec<Duration> = serving.delays().take(160).collect();
    let (_, lanes) = run(&io(serving), SYNC).expect("nothing goes wrong");
    let spans = lanes[0].spans.iter();
    let mut taken = spans.filter(|span| span.activity == Activity::Wait);
    for wait in waits {
        let span = taken.next().expect("a span for each download");
        assert!(span.end - span.start >= wait.as_secs_f64(), "{wait:?}");
    }
}

#[test]
fn the_counts_begin_anew_with_each_run() {
    let io = io(serving());
    for _ in 0..2 {
        let (done, _) = run(&io, way(Method::Threads, 4)).expect("nothing goes wrong");
        assert!(done.peak_in_flight <= Some(4));
        assert_eq!(server(&io).served(), 160);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_processor_time_of_the_server_is_told() {
    let (done, _) = run(&io(serving()), SYNC).expect("nothing goes wrong");
    assert!(done.cpu_of_others > Duration::ZERO);
}

#[test]
fn each_fault_has_a_message_that_names_the_address_and_what_happened() {
    let whole = "http://127.0.0.1:";
    let messages = [
        (
            FaultKind::Stop,
            "/second: the server closed the connection without an answer",
        ),
        (FaultKind::Reset, "/second: the server reset the connection"),
        (
            FaultKind::Status500,
            "/second: the server answered 500 Internal Server Error",
        ),
        (
            FaultKind::ShortBody,
            "/second: the server closed the connection in the body, after 139 bytes of 278",
        ),
        (
            FaultKind::WrongBody,
            "/second: the body has the right length (278 bytes), but its checksum is wrong",
        ),
    ];
    assert_eq!(messages.map(|(kind, _)| kind), *FaultKind::ALL);
    for (kind, message) in messages {
        // One after another: the first page, the second, the first, and then the second again.
        for way in [SYNC, way(Method::Threads, 1), way(Method::Async, 1)] {
            let mut serving = serving();
            serving.fault = Some(Fault { kind, after: 3 });
            let io = io(serving);
            let failed = run(&io, way).expect_err("the server goes wrong");
            let Failed::Broken(text) = failed else {
                panic!("{way:?}: {failed:?}");
            };
            assert!(
                text.starts_with(&format!("cannot download {whole}")),
                "{way:?}: {text}"
            );
            assert!(text.ends_with(message), "{way:?}: {text}");
            let wrong = u64::from(kind == FaultKind::WrongBody);
            assert_eq!(server(&io).served(), 3 + wrong, "{way:?}: {kind:?}");
        }
    }
}

#[test]
fn a_fault_fails_the_run_of_many_workers_too() {
    for kind in FaultKind::ALL {
        for way in [way(Method::Threads, 8), way(Method::Async, 40)] {
            let mut serving = serving();
            serving.fault = Some(Fault {
                kind: *kind,
                after: 80,
            });
            let failed = run(&io(serving), way).expect_err("the server goes wrong");
            let Failed::Broken(text) = failed else {
                panic!("{way:?}: {failed:?}");
            };
            assert!(
                text.starts_with("cannot download http://127.0.0.1:"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = taken.local_addr().expect("it is bound").port();
    let mut serving = serving();
    serving.port = port;
    let refused =
        Io::new(settings(Source::Embedded(vec![serving]))).expect_err("the port is taken");
    let text = format!(
        "port {port} of 127.0.0.1 is taken by another program: choose another one, or none to get \
         one that is free"
    );
    assert_eq!(refused, Failed::Refused(text));
}

#[test]
fn an_answer_that_takes_for_ever_is_refused() {
    let mut endless = [serving(), serving()];
    endless[0].latency = Duration::MAX;
    endless[1].jitter = Duration::MAX;
    for serving in endless {
        let refused = Server::start(&serving).expect_err("it takes too long");
        assert!(refused.to_string().contains("an hour at most"), "{refused}");
    }
}

#[test]
fn a_port_can_be_taken_again_when_its_server_has_ended() {
    // The system gives these ports to nobody who does not ask for one of them.
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).expect("a small number");
    let on_port = |port| {
        let mut serving = serving();
        serving.port = port;
        Io::new(settings(Source::Embedded(vec![serving])))
    };
    let io = (first..)
        .find_map(|port| on_port(port).ok())
        .expect("one is free");
    let port = server(&io).address().port();
    run(&io, way(Method::Threads, 2)).expect("nothing goes wrong");
    drop(io);
    let again = on_port(port).expect("it is free again");
    assert_eq!(server(&again).address().port(), port);
}

#[test]
fn addresses_of_the_user_are_downloaded_and_compared() {
    let server = Server::start(&serving()).expect("a port is free");
    let mut settings = settings(urls(&server));
    settings.items = 5;
    let io = Io::new(settings).expect("both answer");
    server.reset();
    let mut checksums = Vec::new();
    for way in [SYNC, way(Method::Threads, 5), way(Method::Async, 5)] {
        let (done, _) = run(&io, way).expect("nothing goes wrong");
        assert_eq!(done.peak_in_flight, None);
        assert_eq!(io.ideal(&way, None), None);
        checksums.push(done.checksum);
    }
    assert_eq!(server.served(), 15);
    checksums.dedup();
    assert_eq!(checksums.len(), 1);
}

#[test]
fn a_site_that_answers_differently_each_time_is_told() {
    let mut serving = serving();
    serving.fault = Some(Fault {
        kind: FaultKind::WrongBody,
        after: 2,
    });
    let server = Server::start(&serving).expect("a port is free");
    let io = Io::new(settings(urls(&server))).expect("the first downloads are right");
    let failed = run(&io, SYNC).expect_err("the next one is another");
    assert!(
        failed.to_string().contains("answers differently each time"),
        "{failed}"
    );
}

#[test]
fn an_address_that_cannot_be_downloaded_from_is_refused() {
    // It has a port, and does not listen.
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind((Ipv4Addr::LOCALHOST, 0).into())
        .expect("a port is free");
    let nobody = format!("http://{}/", deaf.local_addr().expect("it is bound"));
    let server = Server::start(&serving()).expect("a port is free");
    let missing = format!("http://{}/third", server.address());
    let cases = [
        (
            nobody.as_str(),
            "nothing listens there (connection refused)",
        ),
        (missing.as_str(), "the server answered 404 Not Found"),
        ("https://127.0.0.1/", "https is not supported"),
        ("127.0.0.1", "is no http address"),
    ];
    for (url, message) in cases {
        let refused = Io::new(settings(Source::Urls(vec![url.to_owned()]))).expect_err(url);
        let Failed::Refused(text) = refused else {
            panic!("{url}: {refused:?}");
        };
        assert!(text.contains(url) && text.contains(message), "{text}");
    }
    let none = Io::new(settings(Source::Urls(Vec::new()))).expect_err("no address");
    assert!(matches!(none, Failed::Refused(_)), "{none:?}");
}

#[test]
fn a_download_that_takes_too_long_is_given_up() {
    // Nobody ever accepts: the connection is made by the system, and there is no answer.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let url = format!("http://{}/", silent.local_addr().expect("it is bound"));
    let timeout = Duration::from_millis(50);
    let blocking = blocking::Session::new(timeout, Connections::Kept).download(&url);
    assert_eq!(blocking, Err(Problem::TimedOut(timeout)));
    let session = asynchronous::Session::new(timeout, Connections::Kept);
    let download = async { session.download(&url).await };
    let download = event_loop().expect("an event loop").block_on(download);
    assert_eq!(download, Err(Problem::TimedOut(timeout)));
}

#[test]
fn both_clients_say_the_same_of_a_server_that_is_not_there_and_of_a_page_that_is_not() {
    let deaf = TcpSocket::new_v4().expect("a socket");
    deaf.bind((Ipv4Addr::LOCALHOST, 0).into())
        .expect("a port is free");
    let server = Server::start(&serving()).expect("a port is free");
    let missing = Problem::Status("404 Not Found".to_owned());
    let cases = [
        (deaf.local_addr().expect("it is bound"), Problem::Refused),
        (server.address(), missing),
    ];
    for (address, problem) in cases {
        let url = format!("http://{address}/third");
        let download = blocking::Session::new(PATIENCE, Connections::Kept).download(&url);
        assert_eq!(download, Err(problem.clone()));
        let session = asynchronous::Session::new(PATIENCE, Connections::Kept);
        let download = async { session.download(&url).await };
        let download = event_loop().expect("an event loop").block_on(download);
        assert_eq!(download, Err(problem));
    }
}

#[test]
fn each_download_has_a_line() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut settings = settings(Source::Embedded(vec![serving()]));
    settings.items = 5;
    settings.lines = Some(Arc::new({
        let lines = Arc::clone(&lines);
        move |line: &str| lines.lock().expect("no panic").push(line.to_owned())
    }));
    let io = Io::new(settings).expect("a port is free");
    let [first, second] = server(&io).urls().try_into().expect("there are two pages");
    for way in [SYNC, way(Method::Threads, 3), way(Method::Async, 5)] {
        run(&io, way).expect("nothing goes wrong");
        let mut lines = std::mem::take(&mut *lines.lock().expect("no panic"));
        let last = lines.pop().expect("there are lines");
        assert!(last.starts_with("Downloaded 5 in "), "{last}");
        lines.sort();
        let [first, second] = [
            format!("Read 10490 from {first}"),
            format!("Read 278 from {second}"),
        ];
        assert_eq!(
            lines,
            [&first, &first, &first, &second, &second].map(String::as_str)
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn more_connections_than_files_may_be_open_are_refused_before_there_is_one() {
    let mut settings = settings(Source::Embedded(vec![serving()]));
    settings.ways = vec![SYNC, way(Method::Async, 100_000_000)];
    let refused = Io::new(settings).expect_err("no system has so many");
    assert!(
        refused
            .to_string()
            .starts_with("async, 100,000,000 tasks: the connections and what else is open come to"),
        "{refused}"
    );
    assert!(refused.to_string().contains("ulimit -n"), "{refused}");
}
