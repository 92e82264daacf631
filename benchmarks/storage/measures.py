"""The measurements of one storage, in the order in which a tailnet grows."""

import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.testing.contracts.storage_samples import LATER, a_node, a_tailnet, a_user, change

GROUP = 100
"""How many endpoints a batch of written-behind changes carries."""


def measure(url, directory, nodes, commits):
    """Every figure of one engine, by name."""
    storage = SqlStorage(database_of(url, directory))
    created = clocked(storage.open)
    seq = storage.commit([change(a_tailnet(), a_user())], 0)
    seq, one = register(storage, seq, range(1, commits + 1))
    seq, grouped = group(storage, seq, commits // 10)
    seq = storage.commit([change(a_node(number)) for number in range(commits + 1, nodes + 1)], seq)
    storage.close()
    opened = clocked(storage.open)
    loads = sorted(clocked(lambda: storage.load(1)) for _ in range(5))
    told = notice(storage, seq)
    storage.close()
    return {
        "engine": storage.name,
        "nodes": nodes,
        "create_ms": round(created * 1e3, 1),
        "open_ms": round(opened * 1e3, 1),
        "alembic_imported": "alembic" in sys.modules,
        "commit_us": spread(one),
        f"group_of_{GROUP}_us": spread(grouped),
        "grouped_rows_per_s": round(GROUP * len(grouped) / sum(grouped)),
        "load_ms": round(loads[2] * 1e3, 1),
        "notice_us": spread(told),
    }


def register(storage, seq, numbers):
    """One durable registration after the other."""
    times = []
    for number in numbers:
        registered = [change(a_node(number))]
        begun = time.perf_counter()
        seq = storage.commit(registered, seq)
        times.append(time.perf_counter() - begun)
    return seq, times


def group(storage, seq, rounds):
    """Batches of nodes that were seen again."""
    times = []
    for round_ in range(rounds):
        seen = change(*(replace(a_node(n), last_seen=LATER, cap_version=round_) for n in range(1, GROUP + 1)))
        begun = time.perf_counter()
        seq = storage.commit([seen], seq)
        times.append(time.perf_counter() - begun)
    return seq, times


def notice(storage, seq, rounds=50):
    """From the call of a commit to the return of a waiter in another thread."""
    times = []
    with ThreadPoolExecutor(1) as pool:
        for _ in range(rounds):
            waiting = pool.submit(lambda seq=seq: (storage.wait(1, seq, 10.0), time.perf_counter()))
            time.sleep(0.01)
            begun = time.perf_counter()
            seq = storage.commit([change()], seq)
            times.append(waiting.result()[1] - begun)
    return times


def clocked(work):
    """The seconds it took."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def spread(seconds):
    """Percentiles in microseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50": round(cuts[49] * 1e6), "p99": round(cuts[98] * 1e6)}
