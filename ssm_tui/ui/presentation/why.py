"""Why the caller may or may not, as lines: who they are, each verdict with what decided it, and what to ask for.

The command line prints the same lines as the panel shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ssm_tui.domain.access import SessionKind, Verdict
from ssm_tui.domain.grants import CONNECT, PLACES, Place, source, sources
from ssm_tui.ui.presentation.cells import Cell, Tone
from ssm_tui.ui.presentation.nodes import DENIED, LETTERS, UNKNOWN
from ssm_tui.ui.presentation.text import visible, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ssm_tui.domain.access import Answer
    from ssm_tui.domain.contexts import Caller
    from ssm_tui.domain.grants import Explanation, Point, Quote, Request, Undertaking

KEYS = {**{kind.value: LETTERS[kind] for kind in SessionKind}, CONNECT: "c"}
"""The letter of each undertaking: its sign where it is allowed, and the key for it alone."""
_LEFT = 11  # cells for what a line is about
_MOST = 12  # lines that one sentence may take


@dataclass(frozen=True, slots=True)
class Line:
    """Something told: what it is about, with its tone, and the words. `code` is kept as it is, word for word. Texts are
    foreign and raw: who shows them makes them harmless."""

    about: str = ""
    text: str = ""
    tone: Tone = Tone.PLAIN
    code: bool = False


def why_lines(found: Explanation, name: str = "") -> Iterator[Line]:
    """All of it; what to ask for is of one undertaking where it is named."""
    yield from _caller_lines(found)
    yield Line()
    yield from map(_undertaking_line, found.undertakings)
    if lacking := [point for point in found.sessions if point.answer.verdict is not Verdict.ALLOWED]:
        yield from _session_lines(lacking)
    if found.doubt:
        yield Line("! IAM", f"could not be asked: {found.doubt}; the verdicts are what is known without it", Tone.WARN)
    yield from _obstacle_lines(found)
    yield from _tag_lines(found)
    for quote in found.quotes:
        yield from _quote_lines(quote)
    yield from _request_lines(found, name)


def _caller_lines(found: Explanation) -> Iterator[Line]:
    caller, target = found.caller, found.target
    yield Line("you", caller.arn)
    yield Line("account", f"{caller.account} ({found.alias})" if found.alias else caller.account)
    yield from (Line(about, text) for about, text in _who(caller))
    yield Line("profile", target.context.label)
    if target.database is not None:
        yield Line("relay", target.node.label if target.node is not None else "none is known")


def _who(caller: Caller) -> Iterator[tuple[str, str]]:
    kind, _, name = caller.principal.split(":", 5)[-1].partition("/")
    if name:
        yield kind, name
    if caller.session:
        yield "session", caller.session


def _undertaking_line(undertaking: Undertaking) -> Line:
    answer = undertaking.answer
    sign, tone = _sign(answer, KEYS[undertaking.name])
    cause = f" ({answer.cause})" if answer.verdict is Verdict.DENIED and answer.cause else ""
    reason = f": {answer.reason}" if answer.reason else ""
    return Line(f"{sign} {undertaking.name}", f"{answer.verdict.value}{cause}{reason}", tone)


def _obstacle_lines(found: Explanation) -> Iterator[Line]:
    """Each point that is not allowed, once, with what fails there."""
    fails: dict[Point, list[str]] = {}
    for undertaking in found.undertakings:
        for point in undertaking.points:
            if point.answer.verdict is not Verdict.ALLOWED:
                fails.setdefault(point, []).append(KEYS[undertaking.name])
    if not fails:
        return
    yield Line()
    yield Line("", "What stands in the way", Tone.STRONG)
    for point, letters in fails.items():
        by = f", by {sources(point.answer.deciders)}" if point.answer.deciders else ""
        yield Line(" ".join(letters), f"{point.action} on {point.resource}{by}", _sign(point.answer, "")[1])


def _sign(answer: Answer, letter: str) -> tuple[str, Tone]:
    match answer.verdict:
        case Verdict.ALLOWED:
            return letter, Tone.GOOD
        case Verdict.DENIED:
            return DENIED, Tone.BAD
        case Verdict.UNKNOWN:
            return UNKNOWN, Tone.DIM


def _session_lines(lacking: Iterable[Point]) -> Iterator[Line]:
    """What cannot be done with sessions once they run."""
    names = {verdict: [p.action for p in lacking if p.answer.verdict is verdict] for verdict in Verdict}
    for verdict, actions in names.items():
        if actions:
            text = f"{', '.join(actions)} {'is' if len(actions) == 1 else 'are'} {verdict.value} on your own sessions"
            yield Line("! sessions", text, Tone.WARN)


def _tag_lines(found: Explanation) -> Iterator[Line]:
    if found.tags:
        yield Line()
        yield Line("", "Tags that your policies look at", Tone.STRONG)
        yield from (Line(key, value) for key, value in found.tags)


def _quote_lines(quote: Quote) -> Iterator[Line]:
    yield Line()
    head = source(quote.decider)
    yield Line("", f"{head[0].upper()}{head[1:]}", Tone.STRONG)
    if quote.trouble:
        yield Line("", f"its text could not be read: {quote.trouble}", Tone.DIM)
    yield from (Line(text=text, code=True) for text in quote.text.splitlines())


def _request_lines(found: Explanation, name: str) -> Iterator[Line]:
    request = found.request(name)
    if not request.grants and not request.obstacles:
        return
    for obstacle in request.obstacles:
        yield Line()
        yield Line(f"{DENIED} ask", obstacle, Tone.BAD)
    for place in request.grants:
        yield Line()
        yield Line("", f"To ask for{_of(name)}, in {PLACES[place]}", Tone.STRONG)
        if request.doubtful and place is Place.IDENTITY:
            yield Line("", "what of it you have already is not known", Tone.DIM)
        yield from (Line(text=text, code=True) for text in request.text(place).splitlines())


def _of(name: str) -> str:
    return f" ({name} alone)" if name else ""


def copied(request: Request) -> str:
    """What is copied of a request: the one document; else whatever there is to be said, and the documents with the
    place that lacks each."""
    if len(request.grants) == 1 and not request.obstacles:
        return request.text()
    documents = (f"In {PLACES[place]}:\n{request.text(place)}" for place in request.grants)
    return "\n\n".join((*request.obstacles, *documents))


def shown(lines: Iterable[Line], width: int) -> Iterator[Cell]:
    """In so many cells, words wrapped beside what they are about."""
    for line in lines:
        if line.code:
            yield from _code(visible(line.text), width)
        elif line.about:
            left = f"{visible(line.about)} "
            left += " " * (_LEFT + 1 - cell_len(left))
            for text in wrapped(visible(line.text), max(20, width - cell_len(left)), _MOST):
                yield (left, line.tone), (text, Tone.PLAIN)
                left = " " * cell_len(left)
        else:
            indent = "" if line.tone is Tone.STRONG else " " * (_LEFT + 1)
            for text in wrapped(visible(line.text), max(20, width - len(indent)), _MOST):
                yield (indent, Tone.PLAIN), (text, line.tone)


def _code(text: str, width: int) -> Iterator[Cell]:
    indent = " " * (len(text) - len(text.lstrip()))
    for at, part in enumerate(wrapped(text.strip(), max(20, width - len(indent) - 2), _MOST)):
        yield (indent + "  " * bool(at), Tone.PLAIN), (part, Tone.PLAIN)


def plain(lines: Iterable[Line]) -> Iterator[str]:
    """For a program's output: a line each, as long as it is."""
    for line in lines:
        text = visible(line.text)
        if line.about:
            about = visible(line.about)
            yield f"{about}{' ' * max(1, _LEFT + 1 - cell_len(about))}{text}"
        else:
            yield text if line.code or line.tone is Tone.STRONG or not text else f"{'':{_LEFT + 1}}{text}"
