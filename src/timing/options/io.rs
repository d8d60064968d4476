//! `racelab time io` on the command line.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::timing::workloads::io::{
    Connections, DownloadSettings, Fault, FaultKind, Io, Serve, ServerSettings, Source,
};
use crate::timing::{Failed, Workload};

use super::ways::{Waiting, Ways, each_once, items};
use super::{Measuring, Telling};

/// How many pages a server has at most.
const MOST_PAGES: usize = 5;

/// How many threads there are if no number is given: that of the tutorials.
const THREADS: usize = 5;

#[derive(Debug, Args)]
pub(crate) struct IoArgs {
    #[command(flatten)]
    ways: Ways<Waiting>,

    /// How many downloads there are, of the two pages in turn
    #[arg(
        long,
        value_name = "N",
        default_value_t = 160,
        value_parser = items,
        allow_negative_numbers = true,
    )]
    items: usize,

    #[command(flatten)]
    telling: Telling,

    /// Whether a connection is kept for the next download, or each has a fresh one
    #[arg(long, value_name = "WHICH", default_value = "kept", value_parser = connections())]
    connections: Connections,

    /// Download from here in place of a server of our own, several with commas between them
    #[arg(
        long = "url",
        value_name = "URL",
        value_delimiter = ',',
        conflicts_with_all = ["latency", "jitter", "size", "serve", "port", "fault", "fault_after", "seed"],
    )]
    urls: Vec<String>,

    #[command(flatten)]
    pub(super) measuring: Measuring,

    #[command(flatten)]
    server: ServerArgs,
}

/// The embedded server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
struct ServerArgs {
    /// How long the server takes for an answer: 20ms, 10s; a bare number is seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = "20ms",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
    )]
    latency: Duration,

    /// How much longer an answer may take at most; how much is drawn for each
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0s",
        value_parser = crate::parse_duration,
        allow_hyphen_values = true,
        hide_short_help = true,
    )]
    jitter: Duration,

    /// What the jitter is drawn from
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = any_number,
        allow_negative_numbers = true,
        hide_short_help = true,
    )]
    seed: u64,

    /// The sizes of the pages, in bytes, with commas between them: five pages at most. One size is
    /// that of two pages
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        num_args = 1..=5,
        default_value = "10490,278",
        value_parser = clap::value_parser!(u32).range(..=100_000_000),
        allow_negative_numbers = true,
    )]
    size: Vec<u32>,

    /// Serve one request at a time, or many at once; with both, each way is measured with a server
    /// of either kind
    #[arg(
        long,
        value_name = "HOW",
        value_delimiter = ',',
        default_value = "many",
        value_parser = serve(),
    )]
    serve: Vec<Serve>,

    /// The port of the server on the loopback interface; 0 is any free one
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        allow_negative_numbers = true,
        hide_short_help = true
    )]
    port: u16,

    /// Let the server do something wrong
    #[arg(long, value_name = "FAULT", value_parser = fault(), hide_short_help = true)]
    fault: Option<FaultKind>,

    /// How many requests are answered correctly before that
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = any_number,
        allow_negative_numbers = true,
        requires = "fault",
        hide_short_help = true,
    )]
    fault_after: u64,
}

impl IoArgs {
    /// Starts the server, or sees what the addresses answer.
    pub(super) fn make(&self, cores: usize) -> Result<Arc<dyn Workload>, Failed> {
        let source = if self.urls.is_empty() {
            Source::Embedded(self.server.settings()?)
        } else {
            Source::Urls(self.urls.clone())
        };
        let settings = DownloadSettings {
            source,
            items: self.items,
            connections: self.connections,
            ways: self.ways.of(&[THREADS], &[cores], self.items)?,
            lines: self.telling.lines(),
        };
        Ok(Arc::new(Io::new(settings)?))
    }
}

impl ServerArgs {
    /// A server of each kind that is asked for, each kind once.
    fn settings(&self) -> Result<Vec<ServerSettings>, Failed> {
        let sizes: Vec<u32> = match self.size[..] {
            [size] => vec![size, size],
            ref sizes => sizes.to_vec(),
        };
        if sizes.len() > MOST_PAGES {
            return Err(Failed::Refused(format!(
                "--size takes the sizes of {MOST_PAGES} pages at most, as 10490,278"
            )));
        }
        let sizes = sizes.iter().map(|size| usize::try_from(*size));
        let sizes: Vec<usize> = sizes.map(|size| size.unwrap_or(usize::MAX)).collect();
        let kinds = each_once(&self.serve);
        if kinds.len() > 1 && self.port != 0 {
            return Err(Failed::Refused(
                "--port is the port of one server: with --serve one,many there are two".to_owned(),
            ));
        }
        let servers = kinds.into_iter().map(|serve| ServerSettings {
            port: self.port,
            sizes: sizes.clone(),
            latency: self.latency,
            jitter: self.jitter,
            seed: self.seed,
            serve,
            fault: self.fault.map(|kind| Fault {
                kind,
                after: self.fault_after,
            }),
        });
        Ok(servers.collect())
    }
}

fn connections() -> impl TypedValueParser<Value = Connections> {
    PossibleValuesParser::new(["kept", "fresh"]).map(|name| match &*name {
        "fresh" => Connections::Fresh,
        _ => Connections::Kept,
    })
}

fn serve() -> impl TypedValueParser<Value = Serve> {
    let names = [Serve::One, Serve::Many].map(Serve::name);
    PossibleValuesParser::new(names).map(|name| match &*name {
        "one" => Serve::One,
        _ => Serve::Many,
    })
}

fn fault() -> impl TypedValueParser<Value = FaultKind> {
    let names = FaultKind::ALL.iter().map(|kind| kind.name());
    PossibleValuesParser::new(names).map(|name| {
        let mut kinds = FaultKind::ALL.iter().copied();
        let kind = kinds.find(|kind| kind.name() == name);
        kind.expect("clap has looked that it is one of them")
    })
}

/// Parses a number that can be anything. What is possible is named, in place of what is wrong with
/// the digits.
fn any_number(text: &str) -> Result<u64, String> {
    let number = text.parse();
    number.map_err(|_| format!("it takes a number from 0 to {}", u64::MAX))
}
