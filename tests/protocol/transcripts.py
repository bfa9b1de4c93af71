"""Replay the golden sessions of protocol/transcripts; their README defines steps and patterns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

FOLDER = Path(__file__).parents[2] / "protocol" / "transcripts"
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_VARIABLE = re.compile(r"\$\{(\w+)\}")

Bound = dict[str, str]
"""Variables by name; matching adds those that a pattern names for the first time."""


class Session(Protocol):
    """A worker to speak to. Whoever gives it bounds its waits."""

    def send(self, line: bytes) -> None: ...

    def receive(self) -> dict[str, Any] | None:
        """Return the next event, or None at the end of stdout."""

    def end(self) -> None: ...

    def exit_code(self) -> int: ...


def read_steps(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def match(expected: Any, actual: Any, bound: Bound | None = None) -> list[str]:
    """Return the differences, each with the place where it is; none means that the pattern matches."""
    return list(_differences(expected, actual, {} if bound is None else bound, "event"))


def replay(steps: list[dict[str, Any]], session: Session, variables: Bound) -> list[str]:
    """Play the host's part; return what the worker did otherwise, or nothing."""
    bound, skipped = dict(variables), list[Any]()
    for step in steps:
        if "send" in step:
            session.send(json.dumps(_fill(step["send"], bound)).encode() + b"\n")
        elif "send_line" in step:
            session.send(_put_in(step["send_line"], bound).encode() + b"\n")
        elif "skip" in step:
            skipped = step["skip"]
        elif "end" in step:
            session.end()
        elif "recv" in step and (faults := _receive(step["recv"], skipped, session, bound)):
            return faults
        elif "exit" in step:
            return _finish(step["exit"], skipped, session, bound)
    session.end()
    return _finish(0, skipped, session, bound)


def _receive(expected: Any, skipped: list[Any], session: Session, bound: Bound) -> list[str]:
    while (event := session.receive()) is not None:
        trial = dict(bound)
        faults = match(expected, event, trial)
        if not faults:
            bound.update(trial)
            return []
        if not _is_skipped(event, skipped, bound):
            return [*faults, f"in {json.dumps(event)}"]
    return [f"the worker ended before {json.dumps(expected)}"]


def _finish(code: int, skipped: list[Any], session: Session, bound: Bound) -> list[str]:
    while (event := session.receive()) is not None:
        if not _is_skipped(event, skipped, bound):
            return [f"unexpected {json.dumps(event)}"]
    found = session.exit_code()
    return [] if found == code else [f"exit code {found}, not {code}"]


def _is_skipped(event: dict[str, Any], skipped: list[Any], bound: Bound) -> bool:
    return any(not match(pattern, event, dict(bound)) for pattern in skipped)


def _differences(expected: Any, actual: Any, bound: Bound, place: str) -> Iterator[str]:
    match expected, actual:
        case {"$any": kind}, _:
            same, expected = _is_a(kind, actual), f"of type {kind}"
        case dict(), dict():
            yield from _field_differences(expected, actual, bound, place)
            return
        case list(), list():
            same = len(expected) == len(actual)
            for index, (wanted, found) in enumerate(zip(expected, actual, strict=False)):
                yield from _differences(wanted, found, bound, f"{place}.{index}")
        case str(), str():
            expected = _wanted(expected, actual, bound)
            same = expected == actual
        case _:
            same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    if not same:
        yield f"{place}: {actual!r} is not {expected!r}"


def _field_differences(
    expected: dict[str, Any], actual: dict[str, Any], bound: Bound, place: str
) -> Iterator[str]:
    for name, wanted in expected.items():
        if wanted == {"$absent": True}:
            if name in actual:
                yield f"{place}.{name}: {actual[name]!r} should be absent"
        elif name not in actual:
            yield f"{place}.{name} is missing"
        else:
            yield from _differences(wanted, actual[name], bound, f"{place}.{name}")


def _is_a(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    whole = name != "integer" or isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return isinstance(value, TYPES[name]) and whole


def _wanted(expected: str, actual: str, bound: Bound) -> str:
    variable = _VARIABLE.fullmatch(expected)
    return bound.setdefault(variable[1], actual) if variable else _put_in(expected, bound)


def _put_in(text: str, bound: Bound) -> str:
    return _VARIABLE.sub(lambda found: bound[found[1]], text)


def _fill(value: Any, bound: Bound) -> Any:
    if isinstance(value, dict):
        return {name: _fill(inner, bound) for name, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, bound) for inner in value]
    return _put_in(value, bound) if isinstance(value, str) else value
