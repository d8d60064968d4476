//! Messages from a sender to a receiver: how many there are in a second, and how long each is on its
//! way.
//!
//! First the sender sends all messages, and waits for one answer, that all have arrived. Then it
//! sends messages one at a time, and waits for the answer to each.

mod in_one_process;
mod link;
mod processes;

use std::time::Duration;

use serde_json::{Map, Value, json};

use self::link::{Asked, Streamed};
use crate::timing::{Done, Failed, Method, Timeline, Way, Workload};

pub(crate) use self::processes::Talker;

/// How many messages are sent in a stream for one that is answered.
const STREAMED_FOR_EACH_ASKED: u64 = 10;

/// Messages from a sender to a receiver.
#[derive(Debug)]
pub(crate) struct Pipe {
    messages: u64,
    ways: Vec<Way>,
}

/// The ways in which these methods can send messages: each has a sender and a receiver, but for
/// `sync`, which is one thread with a queue. There is none for `rayon`, whose work must not wait.
pub(crate) fn ways(methods: &[Method]) -> Vec<Way> {
    let methods = methods.iter();
    let way = |&method| Way {
        method,
        variant: None,
        workers: if method == Method::Sync { 1 } else { 2 },
    };
    methods.map(way).collect()
}

/// What both parts of a run came to.
#[derive(Clone, Copy, Debug)]
struct Talked {
    streamed: Streamed,
    asked: Asked,
}

impl Pipe {
    /// So many messages, at least one.
    pub(crate) fn new(messages: u64, ways: Vec<Way>) -> Self {
        Pipe { messages, ways }
    }

    /// How many messages are answered one by one.
    fn asked(&self) -> u64 {
        (self.messages / STREAMED_FOR_EACH_ASKED).max(1)
    }

    fn done(&self, talked: Talked) -> Result<Done, Failed> {
        let Talked { streamed, asked } = talked;
        // 0 + 1 + … and, for each that is answered, one more than was asked.
        let sum = |messages: u64| messages * (messages - 1) / 2;
        let expected = (sum(self.messages), sum(self.asked()) + self.asked());
        if (streamed.sum, asked.sum) != expected {
            return Err(Failed::Broken(format!(
                "the messages add up to {} and the answers to {}, in place of {} and {}",
                streamed.sum, asked.sum, expected.0, expected.1
            )));
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate is not exact to 2^53")]
        let messages = self.messages as f64;
        let latency = asked.time.as_secs_f64() / 2.0;
        #[expect(clippy::cast_precision_loss, reason = "a time is not exact to 2^53")]
        let latency = latency / self.asked() as f64;
        Ok(Done {
            checksum: (streamed.sum + asked.sum).to_string(),
            messages_per_second: Some(messages / streamed.time.as_secs_f64()),
            latency: Some(Duration::from_secs_f64(latency)),
            ..Done::default()
        })
    }
}

impl Workload for Pipe {
    fn name(&self) -> &'static str {
        "pipe"
    }

    fn parameters(&self) -> Map<String, Value> {
        Map::from_iter([
            ("messages".to_owned(), json!(self.messages)),
            ("answered".to_owned(), json!(self.asked())),
        ])
    }

    fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    fn items(&self) -> u64 {
        self.messages
    }

    /// Nothing is known of how quick a message can be.
    fn ideal(&self, _way: &Way, _sync: Option<Duration>) -> Option<Duration> {
        None
    }

    fn run(&self, way: &Way, timeline: &Timeline) -> Result<Done, Failed> {
        let (messages, asked) = (self.messages, self.asked());
        match way.method {
            Method::Sync => self.done(in_one_process::in_turns(messages, asked, timeline)),
            Method::Rayon | Method::AsyncBlocking => Err(Failed::no_method("pipe", way.method)),
            Method::Threads => self.done(in_one_process::on_threads(messages, asked, timeline)?),
            Method::Async => self.done(in_one_process::on_tasks(messages, asked, timeline)?),
            Method::Processes => {
                let (talked, finished) = processes::in_processes(messages, asked)?;
                Ok(Done {
                    memory_of_processes: finished.memory,
                    lost_workers: finished.lost_workers,
                    ..self.done(talked)?
                })
            }
        }
    }
}
