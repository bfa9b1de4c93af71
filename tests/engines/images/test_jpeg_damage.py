"""Whether a JPEG is whole is told from few drawings, and to the last block row."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import pytest
from PIL import Image

from ocr_worker.engines.images import jpeg_damage, jpeg_stream
from ocr_worker.engines.images.jpeg_stream import Layout, layout

SIZE = 640, 320


def grain(mode: str = "L", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.frombytes("L", SIZE, Random(1).randbytes(SIZE[0] * SIZE[1])).convert(mode).save(
        file, "JPEG", quality=90, **options
    )
    return file.getvalue()


def parsed(content: bytes) -> Layout:
    found = layout(content)
    assert found is not None
    return found


def drawn(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


@pytest.mark.parametrize(
    ("mode", "options", "most"),
    [("L", {}, 1), ("RGB", {}, 1), ("L", {"restart_marker_rows": 1}, 2)],
    ids=["in-one-go", "in-colours", "with-restarts"],
)
def test_a_sound_scan_is_drawn_once_or_twice_more(
    mode: str, options: dict[str, Any], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, drawings = grain(mode, **options), list[int]()
    whole = drawn(content) if mode == "L" else None
    opened = Image.open

    def counted(*args: object, **kwargs: object) -> Image.Image:
        drawings.append(1)
        return opened(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "open", counted)

    assert jpeg_damage.look(parsed(content), whole) == (1.0, False)
    assert len(drawings) <= most


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("lost", [100, 300, 3000])
def test_what_is_missing_at_the_end_is_told(mode: str, lost: int) -> None:
    content = grain(mode)
    torn = content[: -2 - lost].rstrip(b"\xff") + b"\xff\xd9"

    share, _ = jpeg_damage.look(parsed(torn), drawn(torn) if mode == "L" else None)

    assert 0.5 < share < 1


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_data_of_a_few_blocks_more_than_the_picture_has_are_damage(mode: str, blocks: int) -> None:
    # Of white blocks each takes a few bits, so that few bytes are left over.
    file = io.BytesIO()
    Image.new(mode, (SIZE[0] + 16 * blocks, 16), "white").save(file, "JPEG", quality=90, subsampling=2)
    content = bytearray(file.getvalue())
    at = parsed(bytes(content)).frame_at + 7
    content[at : at + 2] = SIZE[0].to_bytes(2, "big")

    assert jpeg_damage.look(parsed(bytes(content))) == (1.0, True)


@pytest.mark.parametrize("end", [b"\xff\xd9", b"\xff\xff\xff\xd9", b"\xff\xff", b"\xff", b""])
def test_data_end_before_what_fills_up_the_space_to_a_marker(end: bytes) -> None:
    content = grain()
    known = parsed(content).scans[0].end

    assert parsed(content[:known] + end).scans[0].end == known
    assert jpeg_stream.layout(content[:known] + end) is not None


def test_a_table_with_a_void_step_is_damage_however_well_the_data_end() -> None:
    content = bytearray(grain())
    content[content.index(b"\xff\xdb") + 20] = 0

    assert jpeg_damage.look(parsed(bytes(content)), drawn(bytes(content))) == (1.0, True)
