"""Write a graph of operators in the format of ONNX, as far as line readers need it: a few messages of protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET, FORMAT = 17, 8
FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
_TYPES = {
    np.dtype(np.float32): FLOAT, np.dtype(np.uint8): UINT8, np.dtype(np.int8): INT8,
    np.dtype(np.int32): INT32, np.dtype(np.int64): INT64,
}  # fmt: skip
_INT, _STRING, _GRAPH, _INTS = 2, 3, 5, 7
OF_THE_RUNTIME = "com.microsoft"
"""Operators that are not of the standard."""
Shape = Sequence[int | str]
"""Sizes; a name where a size is told by what comes in."""
Value = tuple[int, Shape]
"""What kind of numbers, and how many."""


class Graph:
    """Operators in their order, and the constants that they take."""

    def __init__(self, prefix: str = "v") -> None:
        """One within another has a prefix of its own, for it sees the other's names."""
        self._prefix = prefix
        self._nodes = bytearray()
        self._constants = bytearray()
        self._names = 0

    def constant(self, values: NDArray[Any]) -> str:
        name = self.name()
        sizes = b"".join(_number(1, size) for size in values.shape)
        content = sizes + _number(2, _TYPES[values.dtype]) + _text(8, name) + _part(9, values.tobytes())
        self._constants += _part(5, content)
        return name

    def add(self, operator: str, inputs: Sequence[str], *, result: int = 0, **settings: Any) -> str:
        """The name of the operator's output, or of one of several."""
        name = self.name()
        self._add(operator, inputs, [""] * result + [name], settings)
        return name

    def add_several(
        self, operator: str, inputs: Sequence[str], count: int, **settings: Any
    ) -> tuple[str, ...]:
        """The names of all its outputs."""
        names = tuple(self.name() for _ in range(count))
        self._add(operator, inputs, names, settings)
        return names

    def part(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> bytes:
        """The graph as a setting of an operator that runs it."""
        graph = bytes(self._nodes) + _text(2, "lines") + bytes(self._constants)
        for field, values in ((11, inputs), (12, outputs)):
            for name, (kind, sizes) in values.items():
                graph += _part(field, _value(name, kind, sizes))
        return graph

    def file(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> bytes:
        """The whole model."""
        content = _number(1, FORMAT) + _part(7, self.part(inputs, outputs))
        for domain, version in (("", OPSET), (OF_THE_RUNTIME, 1)):
            content += _part(8, _text(1, domain) + _number(2, version))
        return content

    def name(self) -> str:
        self._names += 1
        return f"{self._prefix}{self._names}"

    def _add(
        self, operator: str, inputs: Sequence[str], outputs: Sequence[str], settings: Mapping[str, Any]
    ) -> None:
        known = dict(settings)
        domain = known.pop("domain", "")
        content = [_text(1, one) for one in inputs] + [_text(2, one) for one in outputs]
        content += [_text(4, operator), *(_part(5, _setting(key, value)) for key, value in known.items())]
        self._nodes += _part(1, b"".join([*content, _text(7, domain)]))


def _setting(name: str, value: int | str | bytes | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
    if isinstance(value, bytes):
        return _text(1, name) + _part(6, value) + _number(20, _GRAPH)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, _INTS)


def _value(name: str, kind: int, shape: Shape) -> bytes:
    sizes = b"".join(
        _part(1, _number(1, size) if isinstance(size, int) else _text(2, size)) for size in shape
    )
    return _text(1, name) + _part(2, _part(1, _number(1, kind) + _part(2, sizes)))


def _part(field: int, content: bytes) -> bytes:
    return _whole(field << 3 | 2) + _whole(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _part(field, text.encode("ascii"))


def _number(field: int, number: int) -> bytes:
    return _whole(field << 3) + _whole(number % (1 << 64))


def _whole(number: int) -> bytes:
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)
