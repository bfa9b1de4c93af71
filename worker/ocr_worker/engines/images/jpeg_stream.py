"""A JPEG as it lies in its bytes: put right where every viewer makes do with it, and how many of its rows are there.

Put right are bytes before its start, a second start, segments of programs that break off, a missing end marker, a height
that stands behind the picture (DNL), and one that is wrong. Source of the markers: ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops

from ocr_worker.engines.images import headers

_START, _END = b"\xff\xd8", b"\xff\xd9"
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""The last one is of JPEG-LS, which is another format with the same markers."""
_SEQUENTIAL, _PROGRESSIVE = {0xC0, 0xC1, 0xC9}, {0xC2, 0xCA}
_PLAIN = {0xC0, 0xC1, 0xC2}
"""Frames that all readers of PDFs know: neither lossless, hierarchical nor arithmetic."""
_KNOWN = {0xC3, 0xC9, 0xCA}
"""Lossless, and with arithmetic codes."""
_DNL, _DRI, _SOS, _EOI, _SOI = 0xDC, 0xDD, 0xDA, 0xD9, 0xD8
_BARE = {0x01, 0xD8, *range(0xD0, 0xD8)}
"""Markers with nothing behind them."""
_FILL = 0xFF
"""Any number of them may stand before a marker."""
MARKER = re.compile(rb"\xff+([^\x00\xff])")
_AFTER_SCAN = re.compile(rb"\xff(?:[^\x00\xff\xd0-\xd7]|$)")
"""The end of a marker, or a part of one with which the file ends. A pattern that begins with one byte is found twenty times as fast as one that begins with several."""
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_PROBE = b"\x5a\xa7\x3c\x99\x12\xe4" * 200
SMALLER = 8
"""A drawing so much smaller takes all of the JPEG's bits, but little time."""
_MCU_ROWS = 16
"""A height counts as the right one if it ends within the last row of blocks."""
_ABSURD = 4
"""A picture so many times as high as it is wide says its height wrongly, if its rows end before a third of it."""
_COEFFICIENTS = 64
_LENGTH_BYTES = 2
"""Of a segment, which count themselves."""
_MOST_ROWS = 65_535
"""That a frame header can say."""
_OF_PROGRAMS = {*range(0xE0, 0xF0), 0xFE}
"""Markers of what programs say of a picture."""
_LEAST_OF_PROGRAMS = {0xE0: (b"JFIF", 7), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 7)}
"""Bytes of what programs say of a picture, of which Pillow asks for as many."""
_GOOD_QUALITY = 95
_MOST_TRIED_PIXELS = 1 << 27
_BLURRED, _NEARLY = 0.5, 0.99
"""Shares of a picture that lacks a whole scan, or the end of its last one."""


@dataclass(frozen=True, slots=True)
class Scan:
    start: int
    """Of its coded data."""
    end: int
    components: tuple[int, ...]
    band: tuple[int, int]
    """First and last coefficient."""
    low_bit: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie; counted from the start marker."""

    content: bytes
    frame: int
    """Marker of the frame header."""
    frame_at: int
    precision: int
    size: tuple[int, int]
    sampling: dict[int, tuple[int, int]]
    scans: tuple[Scan, ...]
    late_height: int
    """By a DNL behind the first scan; 0 without."""
    restart_interval: int
    is_ended: bool

    @property
    def data_end(self) -> int:
        return self.scans[-1].end

    @property
    def is_plain(self) -> bool:
        """Whether all readers of PDFs can decode it."""
        return self.frame in _PLAIN and self.precision == 8

    @property
    def is_known(self) -> bool:
        """Whether it is of a kind that is decoded here."""
        return self.frame in _PLAIN | _KNOWN and self.precision == 8

    @property
    def is_progressive(self) -> bool:
        return self.frame in _PROGRESSIVE

    @property
    def mcu(self) -> tuple[int, int]:
        """Pixels across and down of what is coded in one go."""
        if len(self.scans[0].components) == 1 or not self.sampling:
            return 8, 8
        return max(h for h, _ in self.sampling.values()) * 8, max(v for _, v in self.sampling.values()) * 8

    def with_height(self, height: int) -> Layout | None:
        if not 0 <= height <= _MOST_ROWS:
            return None
        at = self.frame_at + 5
        return layout(self.content[:at] + struct.pack(">H", height) + self.content[at + 2 :])

    def whole(self) -> bytes:
        """Without a DNL, which some decoders don't know, and with an end marker."""
        if self.is_ended and not self.late_height:
            return self.content
        return self.content[: self.data_end] + _END

    def up_to_means(self) -> bytes:
        """As far as the scans go that tell the means of its blocks."""
        ends = [scan.end for scan in self.scans if scan.band[0] == 0]
        return self.content[: max(ends, default=self.data_end)] + _END


def layout(content: bytes) -> Layout | None:
    """None for what is no JPEG, or has no picture."""
    start = content.find(_START + b"\xff")
    if start < 0:
        return None
    found = _Walk(content[start:] if start else content)
    found.walk()
    return layout(found.without_extras()) if found.extras else found.layout()


class _Walk:
    """From marker to marker."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 2
        self._frame: tuple[int, int] | None = None
        self._scans: list[Scan] = []
        self._late_height = self._interval = 0
        self._is_ended = False
        self.extras: list[tuple[int, int]] = []
        """Where something lies that some decoders pass over, and others don't."""

    def without_extras(self) -> bytes:
        starts = [0, *(end for _, end in self.extras)]
        ends = [*(start for start, _ in self.extras), len(self._content)]
        return b"".join(self._content[start:end] for start, end in zip(starts, ends, strict=True))

    def walk(self) -> None:
        while (found := MARKER.search(self._content, self._at)) is not None:
            marker, self._at = found[1][0], found.end()
            if marker == _EOI:
                self._is_ended = True
                return
            if self._scans and (marker == _SOI or marker in _FRAMES):
                # Another picture.
                return
            if self._is_passed_over(marker):
                continue
            length = int.from_bytes(self._content[self._at : self._at + _LENGTH_BYTES], "big")
            body = self._content[self._at + 2 : self._at + length]
            if len(body) < length - _LENGTH_BYTES or length < _LENGTH_BYTES:
                return
            self._take(marker, body)
            if marker != _SOS:
                self._at += length

    def _is_passed_over(self, marker: int) -> bool:
        """Whether there is nothing behind it."""
        if marker == _SOI:
            self.extras.append((self._at - 2, self._at))
        length = int.from_bytes(self._content[self._at : self._at + _LENGTH_BYTES], "big")
        is_empty = marker in _OF_PROGRAMS and length < _LENGTH_BYTES
        if is_empty:
            self.extras.append((self._at - 2, self._at + _LENGTH_BYTES))
            self._at += _LENGTH_BYTES
        return is_empty or marker in _BARE

    def _take(self, marker: int, body: bytes) -> None:
        if marker in _FRAMES and self._frame is None and len(body) >= 6:
            self._frame = marker, self._at - 2
        elif marker == _DRI and len(body) >= 2:
            self._interval = int.from_bytes(body[:2], "big")
        elif marker in _LEAST_OF_PROGRAMS and _is_too_short(marker, body):
            self.extras.append((self._at - 2, self._at + 2 + len(body)))
        elif marker == _DNL and len(body) >= 2:
            self._late_height = int.from_bytes(body[:2], "big")
        elif marker == _SOS:
            self._scan(body)

    def _scan(self, body: bytes) -> None:
        start = self._at + 2 + len(body)
        found = _AFTER_SCAN.search(self._content, start)
        end = found.start() if found else len(self._content)
        while end > start and self._content[end - 1] == _FILL:
            end -= 1
        self._at = end
        count = body[0] if body else 0
        if len(body) < 4 + 2 * count:
            return
        first, last, bits = body[1 + 2 * count : 4 + 2 * count]
        restarts = len(_RESTART.findall(self._content[start:end])) if self._interval else 0
        components = tuple(body[1 : 1 + 2 * count : 2])
        self._scans.append(Scan(start, end, components, (first, last), bits & 15, restarts))

    def layout(self) -> Layout | None:
        if self._frame is None or not self._scans:
            return None
        marker, at = self._frame
        precision, height, width, count = struct.unpack_from(">BHHB", self._content, at + 4)
        parts = self._content[at + 10 : at + 10 + 3 * count]
        sampling = {
            parts[n]: (parts[n + 1] >> 4 or 1, parts[n + 1] & 15 or 1) for n in range(0, len(parts) - 2, 3)
        }
        return Layout(
            self._content, marker, at, precision, (width, height), sampling, tuple(self._scans),
            self._late_height, self._interval, self._is_ended,
        )  # fmt: skip


def _is_too_short(marker: int, body: bytes) -> bool:
    name, least = _LEAST_OF_PROGRAMS[marker]
    return body.startswith(name) and len(body) < least


def is_foreign(content: bytes) -> bool:
    """Whether it is a JPEG of a kind that PDFium doesn't know."""
    found = layout(content)
    return found is not None and not found.is_plain


def is_unknown(content: bytes) -> bool:
    """Whether it is a JPEG of a kind that nobody here can decode."""
    found = layout(content)
    return found is not None and not found.is_known


def plain(content: bytes) -> bytes:
    """A JPEG of a kind that PDFium doesn't know, as one that it does. Raises what Pillow raises for one that it doesn't."""
    target = io.BytesIO()
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        picture.save(target, "JPEG", quality=_GOOD_QUALITY)
    return target.getvalue()


def of_jpeg_2000(content: bytes) -> bytes:
    """One that shows the same. Raises what Pillow raises."""
    target = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=["JPEG2000"]) as picture:
        # Of pixels that are clear, the colours alone.
        picture.convert("L" if picture.mode in ("L", "LA", "I;16") else "RGB").save(
            target, "JPEG", quality=_GOOD_QUALITY
        )
    return target.getvalue()


def put_right(content: bytes, due: tuple[int, int] | None = None) -> Layout | None:
    """The JPEG as it was meant, of the size that is `due` where somebody else says so; None for what can't be read at all."""
    found = layout(content)
    right = _right_height(found, due) if found else None
    return right if right is not None and 0 not in right.size else None


def _right_height(found: Layout, due: tuple[int, int] | None) -> Layout | None:
    width, height = found.size
    if found.late_height and height in (0, found.late_height):
        return found.with_height(found.late_height)
    if due is not None and due[0] == width and due[1] != height:
        return _by_due(found, due[1])
    if due is None and height > _ABSURD * width and found.is_ended:
        held = rows_held(found)
        return found.with_height(held) if 0 < 3 * held < height else found
    return found


def _by_due(found: Layout, due: int) -> Layout:
    """The greater height that the data bear out."""
    said = found.size[1]
    for height in sorted((said, due), reverse=True):
        if not height or (height > due and height * found.size[0] > _MOST_TRIED_PIXELS):
            continue
        right = found.with_height(height)
        if right is not None and rows_held(right) >= height - _MCU_ROWS:
            return right
    return found if said else found.with_height(due) or found


def share(found: Layout, plain: Callable[[], Image.Image] | None = None) -> float:
    """Of its rows that are there; 1 for all. `plain` gives what `small` makes of it, where somebody else needs that as well."""
    return min(rows_held(found, plain) / found.size[1], _refined(found))


def share_without_drawing(found: Layout) -> float:
    """The same of one whose data are known not to run out."""
    return min(1.0, _rows_by_restarts(found) / found.size[1], _refined(found))


def _refined(found: Layout) -> float:
    """Scans refine the whole picture: one that is not there at all leaves a blur, unless it gives the last bits alone."""
    if found.frame in _SEQUENTIAL:
        return (
            1.0
            if set(found.sampling) <= {one for scan in found.scans for one in scan.components}
            else _BLURRED
        )
    if not found.is_progressive or not found.sampling:
        return 1.0
    luma, *_ = found.sampling
    if len(_bands(found.scans, luma)) < _COEFFICIENTS:
        return _BLURRED
    if not found.is_ended and len(_bands(found.scans[:-1], luma)) < _COEFFICIENTS:
        return min(_NEARLY, _rows_refined(found) / found.size[1])
    exact = [scan for scan in found.scans if scan.low_bit == 0]
    is_exact = all(len(_bands(exact, component)) == _COEFFICIENTS for component in found.sampling)
    return 1.0 if is_exact and found.is_ended else _NEARLY


def _bands(scans: Sequence[Scan], component: int) -> set[int]:
    """The coefficients that these scans give of a component, at least roughly."""
    given = (range(scan.band[0], scan.band[1] + 1) for scan in scans if component in scan.components)
    return {number for band in given for number in band}


def _rows_refined(found: Layout) -> int:
    """How many rows the last of its scans gives, told like those that it has at all."""
    cut = found.content[: found.data_end]
    try:
        drawn, probed = (_grey(cut + end + _END) for end in (b"", _PROBE))
    except headers.BROKEN:
        return 0
    differing = ImageChops.difference(drawn, probed).getbbox()
    return differing[1] if differing else found.size[1]


def rows_held(found: Layout, plain: Callable[[], Image.Image] | None = None) -> int:
    """How many rows the coded data give.

    A decoder fills up what is missing and says nothing. So it is given the data twice, with two ends: from the first row
    on in which that makes a difference, the data are not the file's.
    """
    height = found.size[1]
    scan = _first_drawn(found)
    mode = "L" if scan is found.scans[0] else "RGB"
    try:
        drawn = plain() if plain else small(found.content[: scan.end] + _END, mode)
        probed = small(probing(found), mode)
    except headers.BROKEN:
        return 0
    differing = ImageChops.difference(drawn, probed).getbbox()
    held = height if differing is None else differing[1] * SMALLER
    return min(held, _rows_by_restarts(found), height)


def is_whole_but_lower(found: Layout) -> bool:
    """Whether its data end with a row of blocks, as those of a picture do that says a wrong height, and torn ones hardly ever."""
    scan = _first_drawn(found)
    if not found.is_ended or not (found.is_progressive or len(found.scans) == 1):
        return False
    try:
        differing = ImageChops.difference(small(found.content[: scan.end] + _END), small(probing(found)))
    except headers.BROKEN:
        return False
    across, down = found.mcu
    if (box := differing.getbbox()) is None:
        a_row = -(-found.size[0] // across)
        return bool(found.restart_interval) and (scan.restarts + 1) * found.restart_interval % a_row == 0
    top, height = box[1], down // SMALLER
    first_row = differing.crop((0, top, differing.width, top + height)).getbbox()
    return top % height == 0 and first_row is not None and first_row[0] == 0


def probing(found: Layout) -> bytes:
    """With other bytes behind its data, which show where these run out."""
    return found.content[: _first_drawn(found).end] + _PROBE + _END


def _first_drawn(found: Layout) -> Scan:
    """So small a drawing is made from the first of the scans that refine a picture."""
    return found.scans[0 if found.is_progressive else -1]


def _rows_by_restarts(found: Layout) -> int:
    """Data that end where the decoder waits for a restart marker give nothing to probe."""
    scan = found.scans[0]
    is_sole = found.is_progressive or len(found.scans) == 1
    if not found.restart_interval or not is_sole or not found.sampling:
        return found.size[1]
    across, down = found.mcu
    a_row = -(-found.size[0] // across)
    return (scan.restarts + 1) * found.restart_interval // a_row * down


def small(content: bytes, mode: str = "L") -> Image.Image:
    """Drawn so small that it takes little time; all of its bits are read."""
    # Sizes are checked by whoever asks; Pillow's own limit is global.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        picture.draft(mode, (max(1, picture.width // SMALLER), max(1, picture.height // SMALLER)))
        picture.load()
        small: Image.Image = picture.convert("L" if picture.mode == "L" else "RGB")
        return small


def _grey(content: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
        grey: Image.Image = picture.convert("L")
        return grey
