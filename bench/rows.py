# SPDX-License-Identifier: Apache-2.0
"""rows.py - what is measured, and with whom."""

import dataclasses
import typing

PEERS = ["iceoryx", "cyclonedds", "fastdds", "ucx", "openmpi", "boost", "zeromq", "nng", "pipe",
         "unix", "mq", "sysv"]
SIZES = {"64": 64, "1k": 1024, "64k": 65536, "1m": 1 << 20}


@dataclasses.dataclass
class Row:
    """A contestant is (name, more arguments, environment); "coshm+x" is a variant of coshm."""

    key: str
    title: str
    arguments: list
    contestants: list
    value: typing.Callable
    unit: str
    higher: bool


def field(name, scale=1.0):
    return lambda run: run[name] * scale


def share(run):
    """What the others kept of their throughput when one was stopped, in per cent."""
    return 100.0 * run["after_stop"] / run["before_stop"] if run["before_stop"] else 0.0


def names(*some):
    return [(name, [], None) for name in some]


def latency(key, title, arguments, contestants, value="group_ns", unit="ns", scale=1.0):
    return Row(key, title, arguments, contestants, field(value, scale), unit, False)


def rate(key, title, arguments, contestants):
    return Row(key, title, arguments, contestants, field("per_second", 1e-6), "M/s", True)


def one_way(size, how, contestants):
    arguments = ["--work", "one-way", "--kind", "stream", "--how", how, "--bytes",
                 str(SIZES[size])]
    row = rate(f"oneway-{size}-{how}", f"One way, {SIZES[size]} B, {how}", arguments, contestants)
    # By loan the payload is not touched: bytes a second would be nobody's.
    if SIZES[size] > 1024 and how != "loan":
        row.value, row.unit = field("per_second", SIZES[size] * 1e-9), "GB/s"
    return row


def stopped(key, title, contestants, kind, senders, receivers, side, *more):
    return Row(f"stopped-{key}", title,
               ["--work", "one-way", "--kind", kind, "--senders", str(senders), "--receivers",
                str(receivers), "--stop", str(side), "--seconds", "1.5", *more], contestants, share,
               "% of their throughput that the others keep", True)


def rows(no_bell, huge):
    """All rows; @no_bell is the library that does not look for sleepers; those with huge pages
    only if @huge is a folder of them."""
    trip = ["--work", "round-trip", "--kind", "pair", "--bytes", "64"]
    stream = ["--work", "one-way", "--kind", "stream", "--bytes", "64"]
    yield latency("rtt-spin", "Round trip, 64 B, spinning", trip,
                  names("coshm", "ring", *PEERS))
    yield latency("rtt-block", "Round trip, 64 B, blocking", [*trip, "--block"],
                  names("coshm", "futex", *PEERS))
    for size in SIZES:
        yield one_way(size, "copy", names("coshm", "ring", *PEERS))
        yield one_way(size, "loan", names("coshm", "ring", "iceoryx"))
    for size in ("64", "1k"):
        yield one_way(size, "batch", names("coshm", "ring", "pipe"))
    for pace in ("idle", "paced", "hot"):
        for size in (64, 256, 4096, 65536):
            yield latency(f"latest-{pace}-{size}",
                          f"Latest value, {size} B, publisher {pace}: a read",
                          ["--work", "read", "--kind", "latest", "--pace", pace, "--bytes",
                           str(size)], names("coshm", "ring"))
    for count in (1, 2, 4, 8, 16, 32, 64):
        yield rate(f"fanout-block-{count}",
                   f"Deliveries to {count} blocking subscribers, 64 B",
                   [*stream, "--receivers", str(count), "--block"],
                   names("coshm", "iceoryx", "zeromq"))
        yield rate(f"fanout-awake-{count}",
                   f"Messages to each of {count} awake subscribers of one process, 64 B",
                   [*stream, "--receivers", str(count), "--together"], names("coshm"))
    for each in (1, 2, 4):
        yield rate(f"queue-{each}-{each}", f"Queue, {each} producers, {each} consumers, 64 B",
                   ["--work", "one-way", "--kind", "queue", "--bytes", "64", "--senders",
                    str(each), "--receivers", str(each)], names("coshm", "boost", "mq", "sysv"))
    either = [("coshm", [], None), ("coshm+nobell", [], {"LD_PRELOAD": no_bell})]
    yield rate("publish-alone", "Publishing while nobody is there, 64 B",
               [*stream, "--receivers", "0"], either)
    yield rate("publish-awake", "Publishing to one that polls, 64 B", stream, either)
    yield latency("attach", "Attach and detach",
                  ["--work", "attach", "--kind", "stream"], names("coshm", "boost", "ring"),
                  "p50_ns", "us", 1e-3)
    yield stopped("subscriber", "Overwriting stream, 1 of 2 subscribers stopped",
                  names("coshm", "iceoryx", "cyclonedds"), "stream", 1, 2, 2, "--lossy")
    yield stopped("reader", "Latest value, 1 of 2 readers stopped: new values that the other reads",
                  names("coshm"), "latest", 1, 2, 2)
    yield stopped("consumer", "Queue 2:2, a consumer stopped", names("coshm", "boost"),
                  "queue", 2, 2, 3)
    yield stopped("producer", "Queue 2:2, a producer stopped", names("coshm", "boost"),
                  "queue", 2, 2, 1)
    in_two = ("coshm+containers", [], {"BENCH_CONTAINERS": "1"})
    yield latency("containers-rtt", "Round trip, 64 B, spinning, in two containers", trip,
                  [("coshm", [], None), in_two])
    yield rate("containers-oneway-64", "One way, 64 B, in two containers", stream,
               [("coshm", [], None), in_two])
    if huge:
        on_huge = ("coshm+huge", [], {"COSHM_DIR": huge})
        for size in ("64", "1m"):
            row = one_way(size, "copy", [("coshm", [], None), on_huge])
            row.key, row.title = f"huge-{size}", row.title + ", with and without huge pages"
            yield row
