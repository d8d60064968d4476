//! The lessons: the programs of the tutorials that the lab goes back to, and the command that shows
//! each of them here.

use serde::Serialize;

/// A program of the tutorials.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Lesson {
    /// What the program does.
    pub(super) lesson: &'static str,
    /// The command that does the same here.
    pub(super) command: &'static str,
    /// What the command shows.
    pub(super) shows: &'static str,
}

/// All lessons, in the order in which they are best taken.
pub(super) const ALL: &[Lesson] = &[
    lesson(
        "5,000 tasks add to one number",
        "racelab run counter",
        "a read, an addition and a write are three steps: additions can be lost",
    ),
    lesson(
        "the same, in every interleaving",
        "racelab explore counter",
        "the shortest interleaving that loses an addition, why it does, and a line that replays it",
    ),
    lesson(
        "processes that append to a list",
        "racelab run processes/private-copies",
        "each process has a list of its own, and the one of the parent stays empty",
    ),
    lesson(
        "processes that append to a list which a manager holds",
        "racelab run processes/manager",
        "the process that ends last sees the numbers of all",
    ),
    lesson(
        "two processes that update one file",
        "racelab run processes/file-read-change-write",
        "to read, change and write a file is three steps too",
    ),
    lesson(
        "the same under a lock of the file",
        "racelab run processes/file-lock",
        "one process at a time reads, changes and writes",
    ),
    lesson(
        "the same by appending",
        "racelab run processes/file-append",
        "what is appended overwrites nothing",
    ),
    lesson(
        "threads that append to one list",
        "racelab run shared-list/unsafe-vec",
        "a race that safe Rust does not compile, and what becomes of it without the compiler's help",
    ),
    lesson(
        "threads that print a line each",
        "racelab run print-lock",
        "texts and newlines mix; a lock round the print keeps lines whole",
    ),
    lesson(
        "the same lines one after another and at once",
        "racelab run print-lock/one-after-another",
        "waiting overlaps, and the price is the order",
    ),
    lesson(
        "a consumer that takes from a queue until it reads `stop`",
        "racelab run queue-consumer/in-band-stop",
        "the word that ends the consumer is one that an item can be",
    ),
    lesson(
        "the same with a stop that no item can be",
        "racelab run queue-consumer",
        "work that is handed over through a queue while main goes on asking",
    ),
    lesson(
        "a sender and a receiver with a pipe between them",
        "racelab run processes/pipe",
        "processes share nothing but what is sent, and each prints when it happens",
    ),
    lesson(
        "messages between threads, tasks and processes",
        "racelab time pipe",
        "what a message costs",
    ),
    lesson(
        "one HTTP session for all threads, or one for each",
        "racelab explore session",
        "what is not shared needs no lock",
    ),
    lesson(
        "160 downloads by two processes, each with a session that its initialiser has made",
        "racelab run processes/session-per-process",
        "a session for each process",
    ),
    lesson(
        "a lock, a queue, a number for each thread",
        "racelab verify counter",
        "three ways to repair the counter, held against every interleaving",
    ),
    lesson(
        "a pool built from a queue and a semaphore",
        "racelab explore pool",
        "a permit that is not given back, and a worker that finds nothing",
    ),
    lesson(
        "an event loop with a ready list and a waiting list",
        "racelab run event-loop -v",
        "tasks take turns where they wait",
    ),
    lesson(
        "a task that never gives control back",
        "racelab explore event-loop/never-gives-back",
        "it starves all others",
    ),
    lesson(
        "a program that answers while it computes",
        "racelab run event-loop/worker",
        "a worker thread computes, so that the loop answers at once",
    ),
    lesson(
        "the same without a worker",
        "racelab run event-loop/computes-in-loop",
        "keys are answered when the computation is over",
    ),
    lesson(
        "160 downloads: one after another, by threads, tasks and processes",
        "racelab time io",
        "waiting overlaps; tasks do it at the lowest price",
    ),
    lesson(
        "the same with 5, 10, 15, 20 and 30 threads",
        "racelab time io --method threads --workers 5,10,15,20,30",
        "from which number on more threads gain nothing",
    ),
    lesson(
        "five pages, one after another and with a thread each",
        "racelab time io --size 10490,278,4096,1024,2048 --items 5 --workers 5 --method sync,threads \
         --connections fresh -v",
        "a thread for each page, and each response as it comes",
    ),
    lesson(
        "a server that serves one request at a time, and one that accepts while it serves",
        "racelab time io --serve one,many",
        "no client is faster than its server",
    ),
    lesson(
        "a library that blocks inside an event loop",
        "racelab time io --method sync,async,async-blocking",
        "one call that blocks stops all tasks",
    ),
    lesson(
        "five waits of a second, one after another and at once",
        "racelab time sleep -v",
        "waiting overlaps, whoever waits",
    ),
    lesson(
        "a thread for each wait, a handful of threads, and a thousand tasks",
        "racelab time sleep --items 1000 --seconds 100ms --method threads,async --workers 5,1000",
        "what a thread costs against a task",
    ),
    lesson(
        "20 sums of squares, in every way",
        "racelab time cpu",
        "computing overlaps on as many cores as there are, and tasks of one event loop not at all",
    ),
    lesson(
        "primes in one process, in three, through a manager's list, merged once, by threads",
        "racelab time primes -v",
        "parts of the same length are not equally heavy, and results are best merged late",
    ),
    lesson(
        "one busy loop on a machine of several cores",
        "racelab time busy",
        "one loop is on one core at a time, and the system moves it",
    ),
    lesson(
        "diagrams of when each worker works and waits",
        "racelab time io --plot io.html",
        "a lane for each worker, as a page for a browser",
    ),
];

const fn lesson(lesson: &'static str, command: &'static str, shows: &'static str) -> Lesson {
    Lesson {
        lesson,
        command,
        shows,
    }
}
