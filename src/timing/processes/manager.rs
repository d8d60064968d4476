//! A process that holds a list of numbers, for processes that have no memory in common.
//!
//! The owner starts it, and hands its address to whoever is to use the list. Each use is a request
//! over a connection, and an answer: that is what it costs to share a list this way. It ends with
//! its owner.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use super::messages::{receive, send};
use super::pool::{Finished, Pool};
use super::{Failed, Recorder, Timeline, Work};

/// A process that holds a list of numbers. It is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Manager {
    process: Pool<List>,
    address: String,
}

/// The list that a process holds, as others see it.
#[derive(Debug)]
pub(crate) struct Proxy {
    manager: BufReader<TcpStream>,
}

impl Manager {
    /// Starts the process, with an empty list.
    ///
    /// # Errors
    ///
    /// If the process cannot be started, or cannot be reached.
    pub(crate) fn start() -> Result<Self, Failed> {
        let mut process = Pool::start(1, (), &Timeline::off())?;
        let addresses = process.map([()])?;
        Ok(Manager {
            process,
            address: addresses.into_iter().collect(),
        })
    }

    /// Where the list is reached, on this machine.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Ends the process, and the list with it.
    ///
    /// # Errors
    ///
    /// If the process cannot be waited for.
    pub(crate) fn finish(self) -> Result<Finished, Failed> {
        self.process.finish()
    }
}

impl Proxy {
    /// Connects with the list of this address.
    ///
    /// # Errors
    ///
    /// If there is none any more, or the system has no more connections.
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).map_err(|error| {
            let what = format!("cannot connect with the list at {address}: {error}");
            io::Error::new(error.kind(), what)
        })?;
        // A request is small, and somebody waits for its answer.
        stream.set_nodelay(true)?;
        Ok(Proxy {
            manager: BufReader::new(stream),
        })
    }

    /// Appends a number.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub(crate) fn append(&mut self, number: u64) -> io::Result<()> {
        self.call(&Call::Append(number)).map(drop)
    }

    /// Appends numbers, with one request.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub(crate) fn extend(&mut self, numbers: Vec<u64>) -> io::Result<()> {
        self.call(&Call::Extend(numbers)).map(drop)
    }

    /// A copy of the list.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub(crate) fn list(&mut self) -> io::Result<Vec<u64>> {
        self.call(&Call::List)
    }

    fn call(&mut self, call: &Call) -> io::Result<Vec<u64>> {
        send(self.manager.get_mut(), call)?;
        let answer = receive(&mut self.manager)?;
        answer.ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the list is gone"))
    }
}

/// What can be asked of a list. Each call is answered with a list, which is empty but for
/// [`Call::List`].
#[derive(Debug, Serialize, Deserialize)]
enum Call {
    Append(u64),
    Extend(Vec<u64>),
    List,
}

/// The work of the process that holds a list: its only task is to say where it is reached.
#[derive(Debug)]
pub(crate) struct List {
    address: String,
}

impl Work for List {
    const NAME: &'static str = "list";
    // A list that is lost cannot be replaced.
    const TRIES: u32 = 1;
    type Setup = ();
    type Task = ();
    type Answer = String;

    fn start((): (), _name: &str) -> Result<Self, String> {
        let listen = || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?.to_string();
            thread::Builder::new().spawn(move || accept(&listener))?;
            Ok(List { address })
        };
        listen().map_err(|error: io::Error| {
            format!("cannot listen on {}: {error}", Ipv4Addr::LOCALHOST)
        })
    }

    fn run(&mut self, (): (), _lane: &mut Recorder) -> Result<String, String> {
        Ok(self.address.clone())
    }
}

/// Serves each connection on a thread of its own.
fn accept(listener: &TcpListener) {
    let list = Arc::new(Mutex::new(Vec::new()));
    for stream in listener.incoming() {
        let list = Arc::clone(&list);
        let serve = move || stream.and_then(|stream| serve(stream, &list));
        // Whoever is not served finds the connection closed.
        let _ = thread::Builder::new().spawn(serve);
    }
}

/// Answers the calls of one connection, up to its end.
fn serve(stream: TcpStream, list: &Mutex<Vec<u64>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(call) = receive(&mut stream)? {
        let answer = {
            let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
            match call {
                Call::Append(number) => {
                    list.push(number);
                    Vec::new()
                }
                Call::Extend(numbers) => {
                    list.extend(numbers);
                    Vec::new()
                }
                Call::List => list.clone(),
            }
        };
        send(stream.get_mut(), &answer)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_what_all_have_brought_and_each_has_it_when_it_is_answered() {
        let list = List::start((), "process 1").unwrap();
        let numbers = |place: u64| place * 100..(place + 1) * 100;
        thread::scope(|scope| {
            for place in 0..3 {
                let address = &list.address;
                scope.spawn(move || {
                    let mut proxy = Proxy::connect(address).unwrap();
                    for number in numbers(place) {
                        proxy.append(number).unwrap();
                        assert!(proxy.list().unwrap().contains(&number));
                    }
                });
            }
        });
        let mut proxy = Proxy::connect(&list.address).unwrap();
        proxy.extend(numbers(3).collect()).unwrap();
        let mut all = proxy.list().unwrap();
        assert_eq!(all[300..], numbers(3).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..400).collect::<Vec<_>>());
    }

    #[test]
    fn a_list_that_is_gone_is_an_error() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut proxy = Proxy::connect(&address).unwrap();
        drop(listener.accept().unwrap());
        assert!(proxy.append(1).is_err());
        drop(listener);
        assert!(Proxy::connect(&address).is_err());
    }
}
