"""The list at 100 to 100,000 nodes, from a stubbed AWS that takes 50 ms a call: time, calls, memory, and how smooth the
screen stays. The aims are those of the project; a number that misses its aim is marked."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import AWS, PYTHON, SSM_TUI, environment_of, milliseconds, run, said, title
from benchmarks.plot import Line, plot
from benchmarks.screens import Painted
from tests.wire.process import WireProcess

LATENCY = ("--latency", "0.05")
SIZES = (100, 1_000, 10_000, 100_000)
ROUNDS = {100: 3, 1_000: 3, 10_000: 3, 100_000: 1}
MOST_BESIDE = 10_000
"""At 100,000 nodes the AWS CLI takes minutes: we are measured alone."""
KEYS = "web-0012"
FRESH = b" fresh"  # the state of a context; there is a key named Refresh
QUIET = 0.12  # seconds after which nothing more comes of a key
# Not to be confused with the time of the list: 100,000 nodes are some hundred simulations, 4 at a time.
NO_ACCESS = ("--deny", "iam:*")


@dataclass(frozen=True, slots=True)
class Read:
    """One process that read a list: seconds, how many nodes, seconds of processor time after the first of them."""

    all: float
    nodes: int
    work: float


@dataclass(frozen=True, slots=True)
class Shown:
    """The interface on a list: megabytes when all is read, milliseconds of the longest stall while it was, and of the
    longest at which it was itself at work; of each key until all was painted, and of processor time a key."""

    memory: float
    stall: float
    own_stall: float
    key_work: float = 0.0
    keys: tuple[float, ...] = ()


def main() -> None:
    """All tables, and what is plotted of them."""
    told = Told()
    _calls(told)
    for size in SIZES:
        _lists(told, size)
    _flat(told)
    _first_rows(told)
    for size in (10_000, 100_000):
        _first_paint(told, size)
    _screen(told)
    told.end()


class Told:
    """What was measured: printed at once, kept for the plot and the page."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str, str]] = []
        self.seconds: dict[str, list[tuple[int, float]]] = {}
        self.megabytes: list[tuple[int, float]] = []
        self.work: dict[int, float] = {}

    def ratio(self, what: str, ours: float, other: float, unit: str, aim: float | None = None) -> None:
        """Beside a yardstick."""
        said(what, ours, other, ours / other, unit)
        self._keep(what, f"{ours:,.3g} {unit}", f"{other:,.3g} {unit}", f"{ours / other:.2f}", aim, ours / other)

    def number(self, what: str, value: float, unit: str, aim: float | None = None) -> None:
        """By itself."""
        print(f"{what:56} {value:8.2f} {unit}", flush=True)
        self._keep(what, f"{value:,.3g} {unit}".strip(), "", "", aim, value)

    def _keep(self, what: str, ours: str, other: str, ratio: str, aim: float | None, value: float) -> None:
        wanted = "" if aim is None else f"≤ {aim:g}{'' if value <= aim else ' ✗'}"
        if wanted.endswith("✗"):
            print(f"{'':56} misses its aim: {value:.2f} is more than {aim:g}", flush=True)
        self.rows.append((what, ours, other, ratio, wanted))

    def time(self, line: str, size: int, seconds: float) -> None:
        """A point of the plot."""
        self.seconds.setdefault(line, []).append((size, seconds))

    def end(self) -> None:
        """Writes the page and the plot where they are asked for: `--write FOLDER`."""
        if "--write" not in sys.argv:
            return
        folder = Path(sys.argv[sys.argv.index("--write") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        lines = [Line(name, tuple(points)) for name, points in self.seconds.items()]
        chart = plot("nodes", [("seconds", lines), ("MB above the empty app", [Line("memory", tuple(self.megabytes))])])
        (folder / "listing.svg").write_text(chart, encoding="utf-8")
        (folder / "listing.md").write_text(_page(self.rows), encoding="utf-8")


def _page(rows: list[tuple[str, str, str, str, str]]) -> str:
    head = ("what", "ours", "yardstick", "ratio", "aim")
    table = "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * 5, *rows))
    return (
        "# The list, measured\n\n"
        "Written by `make bench-plot`. AWS is a stub with AWS's page limits that takes 50 ms a call. What counts are\n"
        "the ratios: both sides of one are measured in turn, in one run, on a machine with others on it.\n\n"
        f"![Time and memory against the number of nodes](listing.svg)\n\n{table}\n"
    )


def _calls(told: Told) -> None:
    title("calls to list 10,000 nodes, 1 % of them hybrid, 11 % unmanaged", "calls", "")
    with WireProcess(10_000, "--unmanaged", "0.11") as wire:
        _read("all", wire.environment())
        counted = wire.counted()
    print("  ".join(f"{operation} {count}" for operation, count in sorted(counted.items())))
    told.number("calls to list 10,000 nodes", sum(counted.values()), "", 22)


def _lists(told: Told, size: int) -> None:
    """The whole list, with tags: by a process that reads it, by `ls`, by the AWS CLI."""
    title(f"the whole list at {size:,} nodes", "ours", "aws cli")
    with WireProcess(size, *LATENCY) as wire:
        rounds = [_round(wire.environment(), beside=size <= MOST_BESIDE) for _ in range(ROUNDS[size])]
    ours, work, ls, aws = (statistics.median(each) for each in zip(*rounds, strict=True))
    told.time("list", size, ours)
    if size > MOST_BESIDE:
        told.number(f"list of {size:,}", ours, "s")
    else:
        aim = 0.5 if size == 10_000 else None
        told.ratio(f"list of {size:,}, to aws ec2 describe-instances", ours, aws, "s", aim)
        told.ratio(f"ls --json of {size:,} with access, to the same", ls, aws, "s")
        told.time("ls --json with access", size, ls)
        told.time("aws ec2 describe-instances", size, aws)
    told.work[size] = work


def _round(variables: Mapping[str, str], *, beside: bool) -> tuple[float, float, float, float]:
    """Seconds and those of processor time of our reading; seconds of `ls`, and of the AWS CLI."""
    environment = environment_of(variables)
    read = _read("all", variables)
    if not beside:
        return read.all, read.work, 0.0, 0.0
    ls = milliseconds(lambda: run(*SSM_TUI, "ls", "--json", environment=environment))
    aws = milliseconds(lambda: run(AWS, "ec2", "describe-instances", "--output", "json", environment=environment))
    return read.all, read.work, ls / 1000, aws / 1000


def _flat(told: Told) -> None:
    """What a node costs of processor time, once the program is loaded."""
    title("processor time a node", "µs", "at 1,000")
    few = told.work[1_000] / 1_000
    for size in SIZES[2:]:
        told.ratio(
            f"processor time a node at {size:,}, to at 1,000", 1e6 * told.work[size] / size, 1e6 * few, "µs", 1.25
        )


def _first_rows(told: Told) -> None:
    """From the start of a process: our first page, beside one page of 1,000 that boto3 reads."""
    title("first rows of 10,000, to one bare call of boto3", "ours", "boto3")
    with WireProcess(10_000, *LATENCY) as wire:
        for what, word in (("DescribeInstances", "ec2"), ("DescribeInstanceProperties", "ssm")):
            pairs = [(_first("all", wire), _first(word, wire)) for _ in range(5)]
            ours, bare = (statistics.median(each) for each in zip(*pairs[1:], strict=True))
            told.ratio(f"first rows, to one {what}", ours, bare, "s", 1.5)


def _first(what: str, wire: WireProcess) -> float:
    """Seconds until there are rows; what would come after them is not waited for."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [PYTHON, "-m", "benchmarks.reading", what], env=environment_of(wire.environment()), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - begun
        process.kill()
    return first


def _read(what: str, environment: Mapping[str, str]) -> Read:
    argv = [PYTHON, "-m", "benchmarks.reading", what]
    begun = time.perf_counter()
    with subprocess.Popen(argv, env=environment_of(environment), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        _, nodes, work = process.stdout.readline().split()
        return Read(time.perf_counter() - begun, int(nodes), float(work))


@contextmanager
def _laptop(wire: WireProcess) -> Iterator[dict[str, str]]:
    """The environment of somebody who has just come: an empty home."""
    home = tempfile.mkdtemp(prefix="bench-")
    try:
        yield {**environment_of(wire.environment()), "HOME": home, "XDG_RUNTIME_DIR": home}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _first_paint(told: Told, size: int) -> None:
    """From the start of a process to the first frame, which shows rows of the last run."""
    title(f"first paint with {size:,} rows of the last run", "ours", "empty app")
    with WireProcess(size, *LATENCY, *NO_ACCESS) as wire, _laptop(wire) as environment:
        with Painted(SSM_TUI, environment) as app:
            app.until(FRESH)
            time.sleep(2)  # the rows are written behind the screen
            app.end()
        pairs = []
        for _ in range(8):
            with Painted(SSM_TUI, environment) as app:
                mine = app.until(b"api-0") - app.started
            with Painted([PYTHON, "-m", "benchmarks.empty_app"], environment) as app:
                empty = app.until(b"Tunnels") - app.started
            pairs.append((mine * 1000, empty * 1000))
    mine, empty = (statistics.median(each) for each in zip(*pairs[1:], strict=True))
    told.ratio(f"first paint with rows, {size:,} kept, to an empty app", mine, empty, "ms", 1.15)


def _screen(told: Told) -> None:
    """The interface while it reads, and when it has read."""
    title("the interface", "ours", "no nodes")
    empty = _shown(0, 3)
    for size in SIZES:
        shown = _shown(size, 3 if size >= 10_000 else 0)
        above = shown.memory - empty.memory
        told.megabytes.append((size, above))
        told.number(f"memory at {size:,} nodes, above none", above, "MB", 40 if size == 10_000 else None)
        told.number(f"longest stall while {size:,} are read", shown.stall, "ms")
        told.number("  of our own making", shown.own_stall, "ms", 50 if size == 10_000 else None)
        if shown.keys:
            aim = {10_000: 16, 100_000: 50}[size]
            told.number(f"filter key to painted at {size:,}, median", statistics.median(shown.keys), "ms", aim)
            ours, none = statistics.median(shown.keys), statistics.median(empty.keys)
            told.ratio(f"  the same, to that at no nodes (at most {max(shown.keys):.0f})", ours, none, "ms")
            told.ratio("  processor time a key, to the same", shown.key_work, empty.key_work, "ms")


def _shown(size: int, rounds_of_keys: int) -> Shown:
    """The app reads so many nodes; then keys are typed into its filter, and taken away again."""
    with WireProcess(size, *LATENCY, *NO_ACCESS) as wire, _laptop(wire) as environment:
        lags = Path(environment["HOME"]) / "lags"
        with Painted([PYTHON, "-m", "benchmarks.probe", str(lags)], environment) as app:
            painted = app.until(b"Tunnels")
            fresh = app.until(FRESH)
            app.drain(0.5)
            memory = app.memory()
            keys: list[float] = []
            before = app.work()
            for _ in range(rounds_of_keys):
                app.type("/", QUIET)
                keys += [1000 * app.type(key, QUIET) for key in KEYS]
                app.press("\x1b")
                app.drain(0.5)
            work = 1000 * (app.work() - before) / max(1, len(keys))
        lines = [tuple(map(float, line.split())) for line in lags.read_text(encoding="ascii").splitlines()]
        stalls = [(late, min(late, own)) for when, late, own in lines if painted <= when <= fresh]
    stall, own_stall = (max(each) for each in zip(*stalls, strict=True)) if stalls else (0.0, 0.0)
    return Shown(memory, stall, own_stall, work, tuple(keys))


if __name__ == "__main__":
    main()
