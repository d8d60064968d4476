#!/usr/bin/env python3
"""The work of the tutorials in Python, timed, with nothing but the standard library.

Each row is a program that the tutorials show, by the name that it has in the notes of the project:
downloads one after another, by threads, by tasks and by processes; sums of squares; primes; waits.
A row is printed as a line of JSON as soon as it is measured:

    {"id": "S9", "what": "160 downloads one after another", "seconds": 3.31}

What comes out is checked. Rows that download need two URLs, from which each gets every second
download; the connections are kept.
"""

import argparse
import asyncio
import concurrent.futures
import http.client
import json
import multiprocessing
import os
import statistics
import sys
import threading
import time
from urllib.parse import urlsplit

DOWNLOADS = 160
NUMBERS = [5_000_000 + x for x in range(20)]
BELOW = 3_000_000
PRIMES_BELOW = 216_816
RANGES = [(0, 1_000_000), (1_000_000, 2_000_000), (2_000_000, BELOW)]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


# Downloads.


class Session:
    """Connections that are kept, one for each host. For one thread at a time."""

    def __init__(self):
        self.connections = {}

    def get(self, url):
        """Downloads a page: its length."""
        parts = urlsplit(url)
        connection = self.connections.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc)
            self.connections[parts.netloc] = connection
        connection.request("GET", target(parts))
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(f"{url}: status {response.status}")
        return len(body)


class AsyncSession:
    """Connections that are kept, as many as there are downloads at once. For the tasks of one event
    loop."""

    def __init__(self):
        self.free = {}

    async def get(self, url):
        """Downloads a page: its length."""
        parts = urlsplit(url)
        free = self.free.setdefault(parts.netloc, [])
        if free:
            reader, writer = free.pop()
        else:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        request = f"GET {target(parts)} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        writer.write(request.encode("ascii"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *fields = head.split("\r\n")
        if status.split(" ")[1] != "200":
            raise SystemExit(f"{url}: {status}")
        fields = dict(field.lower().split(":", 1) for field in fields if field)
        body = await reader.readexactly(int(fields["content-length"]))
        free.append((reader, writer))
        return len(body)

    async def close(self):
        for _, writer in (kept for free in self.free.values() for kept in free):
            writer.close()
            await writer.wait_closed()


def target(parts):
    """What is asked for of a host."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def pages(urls, count):
    """So many downloads, of the URLs in turn."""
    return [urls[place % len(urls)] for place in range(count)]


def check_lengths(lengths, count):
    """Each page has one length, and all were downloaded."""
    for first in (0, 1):
        if len(lengths) != count or len(set(lengths[first::2])) != 1:
            raise SystemExit("not every download came to the same")


def download_one_after_another(urls, count=DOWNLOADS):
    session = Session()
    check_lengths([session.get(url) for url in pages(urls, count)], count)


local = threading.local()


def get_with_session_of_thread(url):
    if not hasattr(local, "session"):
        local.session = Session()
    return local.session.get(url)


def download_by_threads(urls, workers, count=DOWNLOADS):
    with concurrent.futures.ThreadPoolExecutor(max_workers=workers) as pool:
        check_lengths(list(pool.map(get_with_session_of_thread, pages(urls, count))), count)


def download_by_tasks(urls):
    async def all_pages():
        session = AsyncSession()
        lengths = await asyncio.gather(*(session.get(url) for url in pages(urls, DOWNLOADS)))
        await session.close()
        return lengths

    check_lengths(asyncio.run(all_pages()), DOWNLOADS)


session_of_process = None


def open_session():
    global session_of_process
    session_of_process = Session()


def get_with_session_of_process(url):
    return session_of_process.get(url)


def download_by_processes(urls):
    with multiprocessing.Pool(CORES, initializer=open_session) as pool:
        check_lengths(pool.map(get_with_session_of_process, pages(urls, DOWNLOADS)), DOWNLOADS)


# Waits.


def wait_one_after_another():
    for _ in range(5):
        time.sleep(1)


def wait_by_threads(count, seconds):
    threads = [threading.Thread(target=time.sleep, args=(seconds,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_by_tasks(count, seconds):
    async def all_waits():
        await asyncio.gather(*(asyncio.sleep(seconds) for _ in range(count)))

    asyncio.run(all_waits())


# Sums of squares.


def sum_of_squares(number):
    return sum(i * i for i in range(number))


def check_sums(sums):
    if sums != [(n - 1) * n * (2 * n - 1) // 6 for n in NUMBERS]:
        raise SystemExit("a sum of squares is wrong")


def sums_one_after_another():
    check_sums([sum_of_squares(number) for number in NUMBERS])


def sums_by_threads():
    with concurrent.futures.ThreadPoolExecutor(max_workers=5) as pool:
        check_sums(list(pool.map(sum_of_squares, NUMBERS)))


def sums_by_tasks():
    async def task(number):
        return sum_of_squares(number)

    async def all_sums():
        return await asyncio.gather(*(task(number) for number in NUMBERS))

    check_sums(list(asyncio.run(all_sums())))


def sums_by_processes():
    with multiprocessing.Pool(CORES) as pool:
        check_sums(pool.map(sum_of_squares, NUMBERS))


# Primes.


def is_prime(number):
    if number < 4:
        return number > 1
    if number % 2 == 0 or number % 3 == 0:
        return False
    divisor = 5
    while divisor * divisor <= number:
        if number % divisor == 0 or number % (divisor + 2) == 0:
            return False
        divisor += 6
    return True


def primes_in(first, end):
    return [number for number in range(first, end) if is_prime(number)]


def append_each(shared, first, end):
    for number in range(first, end):
        if is_prime(number):
            shared.append(number)


def extend_once(shared, first, end):
    shared.extend(primes_in(first, end))


def check_primes(primes):
    if len(primes) != PRIMES_BELOW:
        raise SystemExit(f"{len(primes)} primes below {BELOW}")


def in_three(kind, work, *shared):
    """Runs the work on each of the three ranges, by a thread or a process each."""
    workers = [kind(target=work, args=(*shared, *ends)) for ends in RANGES]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(getattr(worker, "exitcode", 0) != 0 for worker in workers):
        raise SystemExit("a process failed")


def primes_one_after_another():
    check_primes(primes_in(0, BELOW))


def primes_thrown_away():
    in_three(multiprocessing.Process, primes_in)


def primes_through_manager(work):
    with multiprocessing.Manager() as manager:
        shared = manager.list()
        in_three(multiprocessing.Process, work, shared)
        check_primes(shared)


def primes_by_threads():
    shared = []
    in_three(threading.Thread, extend_once, shared)
    check_primes(shared)


def rows(urls):
    """All rows: the name, what it is, whether it needs the URLs, and what it does."""
    sweep = [
        (f"S11/{workers}", f"{workers} threads", True, lambda w=workers: download_by_threads(urls, w))
        for workers in (5, 10, 15, 20, 30)
    ]
    return [
        ("S9", "160 downloads one after another", True, lambda: download_one_after_another(urls)),
        ("S10", "5 threads", True, lambda: download_by_threads(urls, 5)),
        *sweep,
        ("S12", "160 tasks", True, lambda: download_by_tasks(urls)),
        ("S13", f"{CORES} processes", True, lambda: download_by_processes(urls)),
        ("S14/sync", "5 downloads", True, lambda: download_one_after_another(urls, 5)),
        ("S14/threads", "a thread for each", True, lambda: download_by_threads(urls, 5, 5)),
        ("S15/sync", "5 waits of 1 s", False, wait_one_after_another),
        ("S15/threads", "by 5 threads", False, lambda: wait_by_threads(5, 1)),
        ("S16/threads", "1,000 threads wait 0.1 s", False, lambda: wait_by_threads(1000, 0.1)),
        ("S16/async", "1,000 tasks wait 0.1 s", False, lambda: wait_by_tasks(1000, 0.1)),
        ("S17", "20 sums of squares", False, sums_one_after_another),
        ("S18", "by 5 threads", False, sums_by_threads),
        ("S19", "by tasks", False, sums_by_tasks),
        ("S20", f"by {CORES} processes", False, sums_by_processes),
        ("S21", "primes below 3,000,000", False, primes_one_after_another),
        ("S22", "3 processes, thrown away", False, primes_thrown_away),
        ("S23", "3 processes, manager", False, lambda: primes_through_manager(append_each)),
        ("S24", "3 processes, merged once", False, lambda: primes_through_manager(extend_once)),
        ("S25", "3 threads, merged once", False, primes_by_threads),
    ]


def arguments():
    parser = argparse.ArgumentParser(
        description="Times the work of the tutorials in Python, a line of JSON for each row."
    )
    parser.add_argument("urls", nargs="*", metavar="URL", help="the two pages that are downloaded")
    parser.add_argument("--rows", help="only these rows, as S9,S11,S11/30", metavar="NAMES")
    parser.add_argument(
        "--in-turns", action="store_true", help="wait for a line on standard input after each row"
    )
    parser.add_argument("--runs", type=int, default=1, help="how often; the median is printed")
    given = parser.parse_args()
    if given.runs < 1:
        parser.error("--runs has to be 1 at least")
    if len(given.urls) not in (0, 2):
        parser.error("two URLs are needed to download, or none")
    for url in given.urls:
        if urlsplit(url).scheme != "http" or not urlsplit(url).netloc:
            parser.error(f"{url} is not like http://127.0.0.1:8000/page")
    chosen = rows(given.urls)
    if given.rows is None:
        # Without URLs, the rows that can be run without them.
        given.chosen = [row for row in chosen if given.urls or not row[2]]
        return given
    names = given.rows.split(",")
    for name in names:
        if not any(name in (row[0], row[0].split("/")[0]) for row in chosen):
            parser.error(f"there is no row {name}")
    given.chosen = [row for row in chosen if row[0] in names or row[0].split("/")[0] in names]
    if not given.urls and any(row[2] for row in given.chosen):
        parser.error("a row that downloads needs two URLs")
    return given


def main():
    given = arguments()
    for name, what, _, work in given.chosen:
        times = []
        for _ in range(given.runs):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        row = {"id": name, "what": what, "seconds": round(statistics.median_low(times), 6)}
        print(json.dumps(row), flush=True)
        if given.in_turns:
            sys.stdin.readline()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"tutorials.py: {error}")
