# SPDX-License-Identifier: Apache-2.0
"""measure.py - measure coshm, the limits of the machine and the peers side by side.

Sets up what it needs, builds, runs every row with all contestants by turns, prints a table with
ratios, and writes the results as JSON and a chart as SVG.
"""

import argparse
import contextlib
import datetime
import fnmatch
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import chart  # noqa: E402
import figures  # noqa: E402
import rows as rows_of  # noqa: E402

BUILD = os.path.join(ROOT, "build-bench")
PROGRAMS = os.path.join(BUILD, "bench")
NO_BELL = os.path.join(PROGRAMS, "libcoshm-no-bell.so")
BOUNCE_SPREAD = 1.3  # runs whose cache line took longer or shorter than that are not compared
BUSY = 0.05  # of the two CPUs, taken by others: a row measured so is marked
RISE = 1.10  # of an instruction count: --compare fails

NEEDED = [
    "gcc=gcc", "meson=meson", "ninja=ninja-build", "pkg-config=pkg-config",
    "/usr/include/*/sys/shm.h=libc6-dev", "/usr/include/jansson.h=libjansson-dev",
    "/usr/include/libsmartcols/libsmartcols.h=libsmartcols-dev",
    "/usr/include/*/curl/curl.h=libcurl4-openssl-dev", "/usr/include/ncurses.h=libncurses-dev",
    "/usr/include/cmocka.h=libcmocka-dev",
]
PEERS = {
    "iceoryx": ["/usr/include/iceoryx/*/iceoryx_binding_c/api.h=libiceoryx-binding-c-dev",
                "iox-roudi=iceoryx"],
    "cyclonedds": ["/usr/include/dds/dds.h=cyclonedds-dev", "iox-roudi=iceoryx"],
    "fastdds": ["g++=g++",
                "/usr/include/fastdds/dds/domain/DomainParticipant.hpp=libfastrtps-dev",
                "/usr/include/fastcdr/Cdr.h=libfastcdr-dev"],
    "ucx": ["/usr/include/ucp/api/ucp.h=libucx-dev"],
    "openmpi": ["/usr/lib/*/openmpi/include/mpi.h=libopenmpi-dev", "mpirun=openmpi-bin"],
    "boost": ["g++=g++",
              "/usr/include/boost/interprocess/ipc/message_queue.hpp=libboost-dev"],
    "zeromq": ["/usr/include/zmq.h=libzmq3-dev"],
    "nng": ["/usr/include/nng/nng.h=libnng-dev"],
    "callgrind": ["valgrind=valgrind"],
}


def say(text):
    print(text, file=sys.stderr, flush=True)


class Failed(Exception):
    """Something that ends the run; the text says what."""


# ---- set-up ---------------------------------------------------------------------------------


def need(pairs):
    """Have scripts/setup.bash install what is missing, or say why not."""
    script = 'source scripts/setup.bash && need "$@"'
    done = subprocess.run(["bash", "-c", script, "bench/run", *pairs], cwd=ROOT,
                          stderr=subprocess.PIPE, text=True, check=False)
    return None if done.returncode == 0 else done.stderr.strip()


def set_up():
    why = need(NEEDED)
    if why:
        raise Failed(why)
    for peer, pairs in PEERS.items():
        if need(pairs):
            packages = " ".join(pair.split("=")[1] for pair in pairs)
            say(f"bench/run: {peer} is left out: not installed, and that takes root ({packages})")


def build():
    log = []
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        log = ["meson", "setup", BUILD, "-Dbench=true", "--buildtype=release"]
        done = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(done.stdout + done.stderr)
    else:
        # What was installed since is found again.
        subprocess.run(["meson", "setup", "--reconfigure", BUILD], cwd=ROOT,
                       capture_output=True, check=False)
    done = subprocess.run(["ninja", "-C", BUILD, "bench"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    if done.returncode:
        raise Failed(done.stdout + done.stderr)


def program(name):
    return os.path.join(PROGRAMS, "bench-" + name)


# ---- the machine ----------------------------------------------------------------------------


def pick_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    return cpus[:2] if len(cpus) > 1 else cpus * 2


def busy_jiffies(cpus):
    """What all of the machine has used of these CPUs, stolen time included, in seconds."""
    used = 0
    with open("/proc/stat", encoding="ascii") as file:
        for line in file:
            name, *fields = line.split()
            if name in {f"cpu{cpu}" for cpu in cpus}:
                user, nice, system, _idle, _wait, irq, softirq, steal = map(int, fields[:8])
                used += user + nice + system + irq + softirq + steal
    return used / os.sysconf("SC_CLK_TCK")


def children_seconds():
    times = os.times()
    return times.children_user + times.children_system


class Load:
    """The part of the CPUs that others took while it was open."""

    def __init__(self, cpus):
        self.cpus = cpus
        self.others = 0.0

    def __enter__(self):
        self.start = time.monotonic()
        self.used, self.ours = busy_jiffies(self.cpus), children_seconds()
        return self

    def __exit__(self, *_):
        wall = max(time.monotonic() - self.start, 0.001) * len(set(self.cpus))
        ours = children_seconds() - self.ours
        self.others = max(0.0, (busy_jiffies(self.cpus) - self.used - ours) / wall)


def describe_machine(cpus):
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    done = subprocess.run([program("machine"), "%d,%d" % tuple(cpus)], capture_output=True,
                          text=True, check=True)
    return {"model": model, "cpus": os.cpu_count(), "pinned": cpus,
            "kernel": os.uname().release, "load": os.getloadavg()[0], **json.loads(done.stdout)}


# ---- one measurement ------------------------------------------------------------------------


@contextlib.contextmanager
def folder():
    """In memory, and gone afterwards, whatever happens."""
    path = tempfile.mkdtemp(prefix="coshm-bench.", dir="/dev/shm")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Roudi:
    """iceoryx's daemon, which Cyclone DDS needs too, for as long as somebody needs it."""

    CONFIG = """[general]
version = 1
[[segment]]
""" + "".join(f"[[segment.mempool]]\nsize = {size}\ncount = {count}\n" for size, count in
              [(128, 20000), (2048, 10000), (65664, 300), (1048704, 64)])

    def __init__(self):
        self.process = None

    def start(self, where):
        if self.process:
            return
        path = os.path.join(where, "roudi.toml")
        with open(path, "w", encoding="ascii") as file:
            file.write(self.CONFIG)
        self.process = subprocess.Popen(["iox-roudi", "-c", path, "-l", "off"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1)  # it says nothing with its log off; programs wait for it besides

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Skipped(Exception):
    """A contestant cannot do a row; the text says why."""


class Bench:
    def __init__(self, options, where):
        self.options, self.where = options, where
        self.cpus = pick_cpus()
        self.roudi = Roudi()
        self.seconds = options.seconds or (0.2 if options.quick else 0.4)
        self.repetitions = options.repetitions or (1 if options.quick else 5)

    def harness_arguments(self, arguments):
        # Two busy processes of the highest priority would leave nothing of a machine of two.
        fifo = ["--fifo"] if os.geteuid() == 0 and len(os.sched_getaffinity(0)) > 2 else []
        return [*arguments, "--cpus", "%d,%d" % tuple(self.cpus), *fifo]

    def command(self, contestant, arguments):
        exe = program(contestant)
        if not os.path.exists(exe):
            raise Skipped("not installed")
        arguments = self.harness_arguments(arguments)
        if contestant in ("iceoryx", "cyclonedds"):
            if not shutil.which("iox-roudi"):
                raise Skipped("its daemon iox-roudi is not installed")
            self.roudi.start(self.where)
        if contestant == "openmpi":
            return ["mpirun", "--allow-run-as-root", "--bind-to", "none", "--oversubscribe",
                    "--mca", "btl", "self,vader", "--mca", "pml", "ob1",
                    "-n", "1", exe, *arguments, "--side", "0", ":",
                    "-n", "1", exe, *arguments, "--side", "1"]
        return [exe, *arguments]

    def once(self, contestant, arguments, environment=None):
        with folder() as path, Load(self.cpus) as load:
            command = self.command(contestant, [
                "--dir", path, "--seconds", str(self.seconds), *arguments])
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False,
                                      timeout=self.seconds + 30,
                                      env={**os.environ, **(environment or {})})
            except subprocess.TimeoutExpired:
                raise Skipped("did not end in time") from None
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise Skipped(lines[0])
        result = json.loads(done.stdout.strip().splitlines()[-1])
        result["others"] = load.others
        return result

    def row(self, row):
        """All contestants by turns, so that what the machine does meets all of them."""
        runs, skipped = {}, {}
        for _ in range(self.repetitions):
            for contestant, arguments, environment in row.contestants:
                if contestant in skipped:
                    continue
                try:
                    run = self.once(contestant.split("+")[0], [*row.arguments, *arguments],
                                    environment)
                    runs.setdefault(contestant, []).append(run)
                except Skipped as why:
                    if contestant not in runs:
                        skipped[contestant] = str(why)
        return summarize(row, runs, skipped)


def bounce_of(run):
    return max(run["bounce_before_ns"], run["bounce_after_ns"])


def near(a, b):
    return not a or not b or max(a, b) / min(a, b) <= BOUNCE_SPREAD


def summarize(row, runs, skipped):
    every = [bounce_of(run) for some in runs.values() for run in some if bounce_of(run)]
    usual = statistics.median(every) if every else 0
    result = {"title": row.title, "unit": row.unit, "higher": row.higher, "contestants": {}}
    for contestant, some in runs.items():
        good = [run for run in some
                if near(run["bounce_before_ns"], run["bounce_after_ns"])
                and near(bounce_of(run), usual)]
        kept = good or some
        values = sorted(row.value(run) for run in kept)
        result["contestants"][contestant] = {
            "median": statistics.median(values), "min": values[0], "max": values[-1],
            "runs": len(some), "discarded": len(some) - len(good),
            "bounce_ns": statistics.median(bounce_of(run) for run in kept),
            "others": statistics.median(run["others"] or 0 for run in kept),
            **{key: statistics.median(run[key] for run in kept)
               for key in ("p50_ns", "p99_ns", "p999_ns") if kept[0][key]},
        }
    for contestant, why in skipped.items():
        result["contestants"][contestant] = {"skipped": why}
    return result


# ---- instructions ---------------------------------------------------------------------------

COUNTED = {
    "publish, 1 attached": ("stream1", "coshm_stream_publish", 1),
    "publish, 64 attached": ("stream64", "coshm_stream_publish", 1),
    "receive": ("stream1", "coshm_stream_receive", 1),
    "publish, batch of 16: each": ("batch", "coshm_stream_loan coshm_stream_publish_loans", 16),
    "receive, batch of 16: each": ("batch", "coshm_stream_peek coshm_stream_release", 16),
    "latest publish": ("latest", "coshm_latest_publish", 1),
    "latest read": ("latest", "coshm_latest_read", 1),
    "queue push": ("queue", "coshm_queue_push", 1),
    "queue receive": ("queue", "coshm_queue_receive", 1),
}


def instructions_of(what, functions, times):
    with folder() as path:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             *(f"--toggle-collect={function}" for function in functions.split()),
             program("count"), path, what, str(times)],
            capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed("callgrind: " + done.stderr.strip())
    for line in done.stderr.splitlines():
        if "Collected :" in line:
            return int(line.split(":")[1])
    raise Failed("callgrind counted nothing: " + done.stderr.strip())


def count_instructions():
    """Twice as many operations less once as many: what is done once drops out."""
    counts = {}
    if not shutil.which("valgrind"):
        say("bench/run: no instruction counts: valgrind is not installed")
        return counts
    for title, (what, functions, batch) in COUNTED.items():
        few, many = 2048, 4096  # whole laps of the ring
        counts[title] = (instructions_of(what, functions, many) -
                         instructions_of(what, functions, few)) / (many - few) / batch
    return counts


def memory():
    with folder() as path:
        done = subprocess.run([program("count"), path, "memory", "0"], capture_output=True,
                              text=True, check=True)
    return json.loads(done.stdout)


# ---- huge pages -----------------------------------------------------------------------------


@contextlib.contextmanager
def huge_folder():
    """A hugetlbfs mount, or None; the reserved pages go back."""
    knob = "/proc/sys/vm/nr_hugepages"
    before = mount = None
    try:
        with open(knob, encoding="ascii") as file:
            before = int(file.read())
        with open(knob, "w", encoding="ascii") as file:
            file.write(str(before + 48))
        mount = tempfile.mkdtemp(prefix="coshm-bench-huge.")
        subprocess.run(["mount", "-t", "hugetlbfs", "hugetlbfs", mount], check=True,
                       capture_output=True)
    except (OSError, subprocess.CalledProcessError) as why:
        say(f"bench/run: no huge pages: {why}")
        if mount:
            os.rmdir(mount)
            mount = None
    try:
        yield mount
    finally:
        if mount:
            subprocess.run(["umount", mount], check=False)
            os.rmdir(mount)
        if before is not None:
            with contextlib.suppress(OSError), open(knob, "w", encoding="ascii") as file:
                file.write(str(before))


# ---- containers -----------------------------------------------------------------------------


def answers(engine):
    if not shutil.which(engine):
        return False
    try:
        return subprocess.run([engine, "info"], capture_output=True, timeout=10,
                              check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def libraries(exe):
    done = subprocess.run(["ldd", exe], capture_output=True, text=True, check=True)
    return {word for line in done.stdout.splitlines() for word in line.split()
            if word.startswith("/")}


def make_image(engine, image):
    """coshm's program, and what it is linked to: no base image is asked for."""
    with tempfile.TemporaryDirectory() as tree:
        for file in {program("coshm"), *libraries(program("coshm"))}:
            os.makedirs(tree + os.path.dirname(file), exist_ok=True)
            shutil.copy(file, tree + file)
        tar = subprocess.run(["tar", "-C", tree, "-c", "."], capture_output=True, check=True)
    subprocess.run([engine, "import", "-", image], input=tar.stdout, capture_output=True,
                   check=True)
    subprocess.run([engine, "run", "--rm", "--network", "none", image, program("coshm"), "--help"],
                   capture_output=True, check=True)


# Both in one script, as the embedded engine's mounts are to end with a namespace of their own.
TWO_CONTAINERS = """
engine=$1 image=$2 names=$3 folder=$4
shift 4
if [[ $engine == */embedded ]]; then # its own /dev/shm would hide the folder
	mount --bind "$folder" /mnt || exit
	folder=/mnt
fi
trap 'for side in 0 1; do "$engine" rm -f "$names-$side"; done >/dev/null 2>&1' EXIT
for side in 0 1; do
	"$engine" run -d --name "$names-$side" --network none -v "$folder:/mnt" "$image" \
		"$@" --side "$side" >/dev/null || exit
done
for ((i = 0; i < 300; i++)); do
	[[ $("$engine" inspect -f '{{.State.Running}}' "$names-0") == true ]] || break
	sleep 0.1
done
"$engine" logs "$names-0"
"""


class Containers(Bench):
    """The same harness, each side in a container, over one shared folder."""

    def __init__(self, options, where):
        super().__init__(options, where)
        self.engine = next((e for e in ("docker", "podman") if answers(e)), "embedded")
        self.image = f"coshm-bench-{os.getpid()}"

    def __enter__(self):
        if self.engine != "embedded":
            try:
                make_image(self.engine, self.image)
            except subprocess.CalledProcessError as why:
                say(f"bench/run: {self.engine} starts no container ({why.stderr.decode()[-200:]}): "
                    "the embedded engine takes its place")
                self.__exit__()
                self.engine = "embedded"
        return self

    def __exit__(self, *_):
        if self.engine != "embedded":
            subprocess.run([self.engine, "rmi", "-f", self.image], capture_output=True,
                           check=False)

    def once(self, contestant, arguments, environment=None):
        if environment is None or "BENCH_CONTAINERS" not in environment:
            return super().once(contestant, arguments, environment)
        with folder() as path, tempfile.TemporaryDirectory() as kept:
            inside = [program(contestant), *self.harness_arguments(
                ["--dir", "/mnt", "--seconds", str(self.seconds), *arguments])]
            engine, prefix = self.engine, []
            if engine == "embedded":
                engine = os.path.join(ROOT, "container", "embedded")
                prefix = ["unshare", "--mount"]
            done = subprocess.run(
                [*prefix, "bash", "-c", TWO_CONTAINERS, "bash", engine, self.image,
                 f"coshm-bench-{os.getpid()}", path, *inside],
                capture_output=True, text=True, check=False,
                env={**os.environ, "COSHM_EMBEDDED_DIR": kept})
        lines = done.stdout.strip().splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise Skipped(f"{self.engine}: {(done.stderr or done.stdout).strip()[-200:]}")
        # Containers are no children of ours: their time cannot be told from that of others.
        return {**json.loads(lines[-1]), "others": None}


# ---- what is printed ------------------------------------------------------------------------


def plain(value):
    """Four digits at least, and never an exponent."""
    return f"{value:,.0f}" if value >= 10000 else f"{value:.4g}"


def print_row(key, row):
    print(f"\n{row['title']}  [{key}], {row['unit']}, "
          f"{'more' if row['higher'] else 'less'} is better")
    measured = {name: c for name, c in row["contestants"].items() if "median" in c}
    ours = measured.get("coshm", {}).get("median")
    for name, c in sorted(measured.items(), key=lambda item: item[1]["median"],
                          reverse=row["higher"]):
        ratio = f"{c['median'] / ours:8.2f}" if ours else " " * 8
        tail = f"  p99 {c['p99_ns']:,.0f} p99.9 {c['p999_ns']:,.0f} ns" if "p99_ns" in c else ""
        bounce = f"  bounce {c['bounce_ns']:.0f} ns" if c["bounce_ns"] else ""
        marks = ""
        if c["others"] > BUSY:
            marks += f"  !! BUSY MACHINE: others took {c['others']:.0%}"
        if c["discarded"]:
            marks += f"  ! {c['discarded']} of {c['runs']} runs: another bounce"
        print(f"  {name:18}{plain(c['median']):>14}  ({plain(c['min'])}..{plain(c['max'])})"
              f"{ratio}{bounce}{tail}{marks}")
    for name, c in row["contestants"].items():
        if "skipped" in c:
            print(f"  {name:22}skipped: {c['skipped']}")
    sys.stdout.flush()


def print_counts(counts):
    if counts:
        print("\nInstructions of each operation, 64 B  [callgrind]")
    for title, count in counts.items():
        print(f"  {title:32}{count:10.1f}")


def compare(old, new):
    """Whether an instruction count has risen by more than a tenth."""
    worse = False
    for title, count in new.get("instructions", {}).items():
        before = old.get("instructions", {}).get(title)
        if before and count > before * RISE:
            worse = True
            print(f"RISE: {title}: {before:.1f} -> {count:.1f} instructions")
    if not worse:
        print("\nNo instruction count has risen by more than 10 %.")
    return worse


def parse():
    parser = argparse.ArgumentParser(
        prog="bench/run", description=__doc__.split("\n\n")[1],
        epilog="Exit status: 0 fine, 1 --compare found a rise of more than 10 %, 2 failed.")
    parser.add_argument("--quick", action="store_true",
                        help="each run once and short: to see that all works")
    parser.add_argument("--only", metavar="ROWS",
                        help="patterns of row names, with commas: 'rtt-*,count'")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    parser.add_argument("--json", metavar="FILE", default=os.path.join(BUILD, "results.json"))
    parser.add_argument("--svg", metavar="FILE", default=os.path.join(BUILD, "results.svg"))
    parser.add_argument("--compare", metavar="OLD.json",
                        help="fail if an instruction count has risen by more than 10 %%")
    parser.add_argument("--containers", action="store_true",
                        help="the rows of containers alone, with what they are compared to")
    parser.add_argument("--seconds", type=float, help="how long a run lasts (0.4)")
    parser.add_argument("--repetitions", type=int, help="runs of each (5)")
    parser.add_argument("--no-setup", action="store_true", help="install nothing")
    return parser.parse_args()


def wanted(options, key):
    if options.containers and not key.startswith("containers"):
        return False
    return not options.only or any(fnmatch.fnmatch(key, pattern)
                                   for pattern in options.only.split(","))


def measure(options, old):
    huge_pages = wanted(options, "huge-64") or wanted(options, "huge-1m")
    with folder() as where, Containers(options, where) as bench, \
            huge_folder() if huge_pages else contextlib.nullcontext() as huge:
        results = {"when": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
                   "quick": options.quick, "machine": describe_machine(bench.cpus),
                   "engine": bench.engine, "rows": {}}
        machine = results["machine"]
        print(f"{machine['model']}, CPUs {machine['pinned']} of {machine['cpus']}, "
              f"Linux {machine['kernel']}, load {machine['load']:.1f}; "
              f"system call {machine['system_call_ns']:.0f} ns, memcpy "
              + ", ".join(f"{size} B {float(ns):,.1f} ns"
                          for size, ns in machine["memcpy_ns"].items()))
        try:
            for row in rows_of.rows(NO_BELL, huge):
                if wanted(options, row.key):
                    results["rows"][row.key] = bench.row(row)
                    print_row(row.key, results["rows"][row.key])
        finally:
            bench.roudi.stop()
        if wanted(options, "count"):
            results["instructions"] = count_instructions()
            print_counts(results["instructions"])
        if wanted(options, "memory"):
            results["memory"] = memory()
    results["figures"] = figures.judge(results)
    figures.show(results["figures"])
    for path, text in ((options.json, json.dumps(results, indent=1) + "\n"),
                       (options.svg, chart.draw(results))):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        print(f"written: {path}")
    return 1 if old and compare(old, results) else 0


def main():
    options = parse()
    if options.list:
        for row in rows_of.rows(NO_BELL, None):
            print(f"{row.key:24}{row.title}")
        print(f"{'count':24}instructions of each operation, by callgrind")
        print(f"{'memory':24}bytes of a channel beside its ring")
        return 0
    try:
        old = None
        if options.compare:
            with open(options.compare, encoding="utf-8") as file:
                old = json.load(file)
        if not options.no_setup:
            set_up()
        build()
        return measure(options, old)
    except (Failed, OSError, subprocess.CalledProcessError) as why:
        say(f"bench/run: {why}")
        return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
