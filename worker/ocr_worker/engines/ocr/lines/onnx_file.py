"""Write a graph of operators in the format of ONNX, as far as line readers need it: a few messages of protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPSET, FORMAT = 17, 8
FLOAT, INT32, INT64 = 1, 6, 7
_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int32): INT32, np.dtype(np.int64): INT64}
_INT, _STRING, _INTS = 2, 3, 7
Shape = Sequence[int | str]
"""Sizes; a name where a size is told by what comes in."""


class Graph:
    """Operators in their order, and the constants that they take."""

    def __init__(self) -> None:
        self._nodes = bytearray()
        self._constants = bytearray()
        self._names = 0

    def constant(self, values: NDArray[Any]) -> str:
        name = self._name()
        sizes = b"".join(_number(1, size) for size in values.shape)
        content = sizes + _number(2, _TYPES[values.dtype]) + _text(8, name) + _part(9, values.tobytes())
        self._constants += _part(5, content)
        return name

    def add(self, operator: str, inputs: Sequence[str], *, result: int = 0, **settings: Any) -> str:
        """The name of the operator's output, or of one of several."""
        name = self._name()
        outputs = [""] * result + [name]
        content = [_text(1, one) for one in inputs] + [_text(2, one) for one in outputs]
        content += [_text(4, operator), *(_part(5, _setting(key, value)) for key, value in settings.items())]
        self._nodes += _part(1, b"".join(content))
        return name

    def file(self, inputs: Mapping[str, tuple[int, Shape]], output: str, shape: Shape) -> bytes:
        """The whole model, whose last operator's output is `output`."""
        graph = bytes(self._nodes) + _text(2, "lines") + bytes(self._constants)
        for name, (kind, sizes) in inputs.items():
            graph += _part(11, _value(name, kind, sizes))
        graph += _part(12, _value(output, FLOAT, shape))
        opset = _text(1, "") + _number(2, OPSET)
        return _number(1, FORMAT) + _part(7, graph) + _part(8, opset)

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"


def _setting(name: str, value: int | str | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _INT)
    if isinstance(value, str):
        return _text(1, name) + _text(4, value) + _number(20, _STRING)
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
