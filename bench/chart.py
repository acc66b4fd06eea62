# SPDX-License-Identifier: Apache-2.0
"""chart.py - the results as bars, in SVG by hand: it is text, and follows light and dark."""

import math
from html import escape

PANELS = ["rtt-spin", "oneway-64-copy", "oneway-1k-copy", "oneway-1m-copy"]
LIMITS = ("ring", "futex")
NAMES = {"ring": "raw ring (limit)", "futex": "futex (limit)", "ucx": "UCX",
         "openmpi": "Open MPI", "boost": "Boost message_queue", "zeromq": "ZeroMQ ipc",
         "nng": "nng ipc", "unix": "unix socket", "mq": "POSIX mq", "sysv": "SysV msgq"}
WIDTH, LABEL, BAR, GAP = 820, 170, 18, 6
STYLE = """
text { font: 13px sans-serif; fill: #1f2328; }
.title { font-weight: bold; font-size: 14px; }
.note { fill: #59636e; font-size: 12px; }
.coshm { fill: #0969da; } .limit { fill: #8c959f; } .peer { fill: #bf8700; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .note { fill: #9198a1; }
.coshm { fill: #4493f8; } .limit { fill: #656c76; } .peer { fill: #d29922; }
}
"""


def kind(name):
    if name.startswith("coshm"):
        return "coshm"
    return "limit" if name in LIMITS else "peer"


def short(value):
    """Three digits, and never an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def length_of(row, value, values):
    """Latencies differ by a factor of a thousand, so they are drawn by their magnitude."""
    if row["higher"]:
        return value / max(values)
    least, most = min(values) / 2, max(values)
    return math.log(value / least) / math.log(most / least)


def panel(row, y):
    """One row's bars from @y down, and where they end."""
    measured = sorted(((name, c["median"]) for name, c in row["contestants"].items()
                       if c.get("median")), key=lambda item: item[1], reverse=row["higher"])
    scale = "" if row["higher"] else " (logarithmic)"
    parts = [f'<text class="title" x="0" y="{y + 14}">{escape(row["title"])}: {row["unit"]}, '
             f'{"more" if row["higher"] else "less"} is better{scale}</text>']
    values = [value for _, value in measured]
    y += 24
    for name, value in measured:
        width = max(1.0, (WIDTH - LABEL - 90) * length_of(row, value, values))
        parts.append(
            f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">'
            f'{escape(NAMES.get(name, name))}</text>'
            f'<rect class="{kind(name)}" x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" '
            f'rx="2"/><text x="{LABEL + width + 6:.1f}" y="{y + 13}">{short(value)}</text>')
        y += BAR + GAP
    return parts, y + 16


def draw(results):
    parts, y = [], 30
    for key in PANELS:
        if key in results["rows"]:
            some, y = panel(results["rows"][key], y)
            parts += some
    machine = results["machine"]
    note = f"{machine['model']}, two pinned CPUs, {results['when'][:10]}, bench/run"
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 {WIDTH + 20} {y + 10}" '
            f'role="img" aria-label="coshm, limits and peers side by side">\n'
            f'<style>{STYLE}</style>\n<text class="note" x="0" y="14">{escape(note)}</text>\n'
            + "\n".join(parts) + "\n</svg>\n")
