# SPDX-License-Identifier: Apache-2.0
"""figures.py - the figures to reach, and whether they are reached."""

LIMITS = ("ring", "futex")
MOVED = 1.3  # figures of two rows whose bounces differ by more say nothing together

bounces = []  # of what one figure was made of


def median(results, row, who="coshm", field="median"):
    contestant = results["rows"][row]["contestants"][who]
    bounces.append(contestant.get("bounce_ns", 0))
    return contestant[field]


def best_peer(results, row):
    """The best of the others that are no limit: its name and its median."""
    found = results["rows"][row]
    peers = {name: c["median"] for name, c in found["contestants"].items()
             if "median" in c and name not in LIMITS and not name.startswith("coshm")}
    best = (max if found["higher"] else min)(peers, key=peers.get)
    return best, median(results, row, best)


def against(results, row, who):
    return median(results, row) / median(results, row, who)


def against_best(results, row):
    return median(results, row) / best_peer(results, row)[1]


def crossing(results):
    """GB/s of a copy of 1 MiB that the other CPU has written."""
    return (1 << 20) / results["machine"]["memcpy_from_other_cpu_1MiB_ns"]


def read_against_memcpy(results, pace):
    return max(against(results, f"latest-{pace}-{size}", "ring")
               for size in (64, 256, 4096, 65536))


def hot_tail(results):
    return max(median(results, f"latest-hot-{size}", field="p99_ns") /
               max(median(results, f"latest-hot-{size}", field="p50_ns"), 1)
               for size in (64, 256, 4096, 65536))


def instructions(results, many, few):
    return results["instructions"][many] / results["instructions"][few]


# What, the bound, whether it is a least, and how it is found.
FIGURES = [
    ("round trip 64 B, spinning / raw ring", 1.10, False,
     lambda r: against(r, "rtt-spin", "ring")),
    ("round trip 64 B, spinning / best peer", 1.00, False,
     lambda r: against_best(r, "rtt-spin")),
    ("64 B one by one / raw ring", 0.85, True, lambda r: against(r, "oneway-64-copy", "ring")),
    ("64 B one by one / best peer", 2.5, True, lambda r: against_best(r, "oneway-64-copy")),
    ("64 B batched / raw ring batched", 0.90, True,
     lambda r: against(r, "oneway-64-batch", "ring")),
    ("64 B batched / best peer one by one", 4.0, True,
     lambda r: median(r, "oneway-64-batch") / best_peer(r, "oneway-64-copy")[1]),
    ("1 KiB / raw ring", 0.90, True, lambda r: against(r, "oneway-1k-copy", "ring")),
    ("1 KiB / best peer", 1.00, True, lambda r: against_best(r, "oneway-1k-copy")),
    ("1 MiB by copy / raw ring", 0.90, True, lambda r: against(r, "oneway-1m-copy", "ring")),
    ("1 MiB by copy / memcpy from the other CPU", 0.90, True,
     lambda r: median(r, "oneway-1m-copy") / crossing(r)),
    ("1 MiB by loan: time / that of 64 B by loan", 1.5, False,
     lambda r: median(r, "oneway-64-loan") / median(r, "oneway-1m-loan")),
    ("1 MiB by loan: time / that of 64 KiB by loan", 1.5, False,
     lambda r: median(r, "oneway-64k-loan") / median(r, "oneway-1m-loan")),
    ("latest, publisher idle / memcpy, worst size", 1.25, False,
     lambda r: read_against_memcpy(r, "idle")),
    ("latest, publisher 1 M/s / memcpy, worst size", 1.25, False,
     lambda r: read_against_memcpy(r, "paced")),
    ("latest, publisher hot: p99 / median, worst size", 3.0, False, hot_tail),
    ("publish instructions, 64 attached / 1", 2.0, False,
     lambda r: instructions(r, "publish, 64 attached", "publish, 1 attached")),
    ("deliveries to 8 blocking / best peer", 1.0, True,
     lambda r: against_best(r, "fanout-block-8")),
    ("queue 1:1 / Boost", 3.0, True, lambda r: against(r, "queue-1-1", "boost")),
    ("queue 4:4 / 1:1", 0.5, True,
     lambda r: median(r, "queue-4-4") / median(r, "queue-1-1")),
    ("blocking round trip / futex ping-pong", 1.10, False,
     lambda r: against(r, "rtt-block", "futex")),
    ("publishing, nobody there / waiting compiled out", 0.95, True,
     lambda r: against(r, "publish-alone", "coshm+nobell")),
    ("publishing, one that polls / waiting compiled out", 0.95, True,
     lambda r: against(r, "publish-awake", "coshm+nobell")),
    ("attach and detach, us", 60.0, False, lambda r: median(r, "attach")),
    ("bytes beside the ring", 16384, False,
     lambda r: r["memory"]["region_bytes"] - r["memory"]["ring_bytes"]),
    ("round trip in containers / processes", 1.10, False,
     lambda r: against(r, "containers-rtt", "coshm+containers") ** -1),
    ("64 B in containers / processes", 0.90, True,
     lambda r: against(r, "containers-oneway-64", "coshm+containers") ** -1),
]


def judge(results):
    """Each figure whose rows were measured."""
    judged = []
    for what, bound, least, find in FIGURES:
        bounces.clear()
        try:
            value = find(results)
        except (KeyError, ValueError, ZeroDivisionError):
            continue  # a row was not asked for, or a contestant is not here
        seen = [bounce for bounce in bounces if bounce]
        judged.append({"what": what, "bound": bound, "least": least, "value": value,
                       "reached": value >= bound if least else value <= bound,
                       "moved": bool(seen) and max(seen) > MOVED * min(seen)})
    return judged


def verdict(figure):
    if figure["moved"]:
        return "the machine moved in between: run these rows again"
    return "reached" if figure["reached"] else "NOT REACHED"


def show(judged):
    if judged:
        print("\nThe figures to reach")
    for figure in judged:
        print(f"  {figure['what']:50}{figure['value']:12,.2f}  "
              f"{'at least' if figure['least'] else 'at most '} {figure['bound']:,.2f}  "
              f"{verdict(figure)}")
