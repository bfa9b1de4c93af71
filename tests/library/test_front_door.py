"""`import ocr_sidecar`: what it promises by name, what it costs to import, and what its calls do with real engines."""

from __future__ import annotations

import asyncio
import io
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

import ocr_sidecar
from ocr_sidecar import (
    AsyncSidecar,
    CorruptError,
    EmptyFileError,
    FileDone,
    InvalidParamsError,
    JobEnded,
    JobNotFoundError,
    NotFoundError,
    OcrError,
    OutputPermissionError,
    ProgressMade,
    Sidecar,
)
from samples import Sample

HEAVY = (
    "pydantic",
    "PIL",
    "pikepdf",
    "pypdfium2",
    "tesserocr",
    "numpy",
    "ocr_protocol",
    "sqlite3",
    "asyncio",
)

ALIKE = {"LA": "La", "RGBA": "RGBa", "RGB": "HSV"}
"""Modes from which PIL makes those that no file format holds."""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_WORKER_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    with Sidecar(state_dir=tmp_path / "state", max_workers=1) as sidecar:
        yield sidecar


def test_every_name_that_is_promised_is_there_and_no_other_is_shown() -> None:
    for name in ocr_sidecar.__all__:
        assert getattr(ocr_sidecar, name) is not None
    assert dir(ocr_sidecar) == sorted(ocr_sidecar.__all__)
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = ocr_sidecar.nothing_such


def test_what_stands_for_type_checkers_is_what_is_promised() -> None:
    """The imports under TYPE_CHECKING, `__all__` and the places of the names are three lists of one thing."""
    import ast

    assert ocr_sidecar.__file__
    tree = ast.parse(Path(ocr_sidecar.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.asname or alias.name
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert imported == set(ocr_sidecar.__all__)


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys, ocr_sidecar; print([name for name in {HEAVY!r} if name in sys.modules])"

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert said.stdout.strip() == "[]"


def test_a_batch_needs_neither_the_wire_nor_an_image_library_in_the_callers_process(
    sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    code = (
        "import sys, ocr_sidecar\n"
        f"result = ocr_sidecar.ocr({str(sample('clean').path)!r}, {str(tmp_path / 'out')!r})\n"
        "print(result.status, [name for name in ('pydantic', 'PIL', 'pikepdf', 'tesserocr', 'ocr_protocol')"
        " if name in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )

    assert said.stdout.strip() == "completed []"


def test_ocr_says_how_each_file_ended(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    result = ocr_sidecar.ocr(
        [sample("clean").path, tmp_path / "missing.png"], tmp_path / "out", languages="eng"
    )

    assert result.status == "completed"
    (good,), (bad,) = result.successful, result.failed
    assert good.pages == 1
    assert good.output is not None
    assert Path(good.output).read_bytes().startswith(b"%PDF")
    assert good.confidence is not None
    assert 80 <= good.confidence <= 100
    assert bad.error is not None
    assert (bad.file, bad.error.code) == (str(tmp_path / "missing.png"), "not_found")
    assert result.manifest is not None
    assert result.statistics.pages == 1


def test_a_page_is_read_the_same_from_a_path_from_bytes_and_from_a_picture(
    sample: Callable[[str], Sample], sidecar: Sidecar, tmp_path: Path
) -> None:
    path = sample("clean").path
    with Image.open(path) as image:
        image.load()

    pages = [sidecar.read_page(source) for source in (path, path.read_bytes(), image)]

    texts = {page.text for page in pages}
    assert len(texts) == 1
    assert len(pages[0].words) > 20
    left, top, right, bottom = pages[0].words[0].box
    assert 0 <= left < right <= pages[0].width_px
    assert 0 <= top < bottom <= pages[0].height_px
    assert not (tmp_path / "state" / "jobs.sqlite3").exists()


def test_a_picture_is_read_the_same_in_every_mode(sample: Callable[[str], Sample], sidecar: Sidecar) -> None:
    with Image.open(sample("clean").path) as image:
        grey = image.convert("L").crop((0, 0, image.width, image.height // 5))
        grey.info["dpi"] = (300, 300)
    modes = ["L", "RGB", "RGBA", "RGBX", "LA", "CMYK", "YCbCr", "I", "F"]
    pictures = [grey.convert(mode) for mode in modes]
    pictures += [grey.convert(straight).convert(mode) for straight, mode in ALIKE.items()]
    for picture in pictures:
        picture.info["dpi"] = (300, 300)

    pages = [sidecar.read_page(picture) for picture in pictures]

    assert len(pages[0].words) > 10
    assert {page.text for page in pages} == {pages[0].text}
    assert {page.dpi for page in pages} == {300}


def test_a_picture_that_can_not_be_saved_is_an_error_that_says_so(sidecar: Sidecar) -> None:
    closed = Image.new("L", (100, 100))
    closed.close()
    for picture in (Image.new("L", (0, 10)), closed):
        with pytest.raises(InvalidParamsError, match="PIL image can't be saved"):
            sidecar.read_page(picture)


def test_what_holds_a_picture_is_refused_with_the_way_out(sidecar: Sidecar) -> None:
    with pytest.raises(InvalidParamsError, match="its read"):
        sidecar.read_page(io.BytesIO(b"image"))  # type: ignore[arg-type]


def test_an_array_is_refused_with_the_way_out(sidecar: Sidecar) -> None:
    numpy = pytest.importorskip("numpy", reason="needs numpy")

    with pytest.raises(InvalidParamsError, match="fromarray"):
        sidecar.read_page(numpy.zeros((9, 9)))


def test_a_page_of_a_file_is_chosen_by_its_number(sample: Callable[[str], Sample], sidecar: Sidecar) -> None:
    path = sample("scanned_pdf").path

    second = sidecar.read_page(path, page=2)

    assert second.number == 2
    assert second.words
    with pytest.raises(NotFoundError, match="has no page 99"):
        sidecar.read_page(path, page=99)


def test_what_a_page_process_says_is_wrong_is_an_error_of_its_own_class(
    sidecar: Sidecar, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(NotFoundError, match=r"missing\.png"):
        sidecar.read_page(tmp_path / "missing.png")
    with pytest.raises(NotFoundError, match=r"missing\.png"):
        sidecar.inspect(tmp_path / "missing.png")
    with pytest.raises(EmptyFileError, match="image"):
        sidecar.read_page(b"")
    with pytest.raises(CorruptError, match=r"damaged\.png"):
        sidecar.read_page(damaged)


@pytest.mark.parametrize("image", [5, None, io.StringIO("text"), ["a.png"]])
def test_what_is_no_picture_is_refused_by_name(sidecar: Sidecar, image: object) -> None:
    with pytest.raises(InvalidParamsError, match="image must be a path, bytes or a PIL image, not"):
        sidecar.read_page(image)  # type: ignore[arg-type]


@pytest.mark.parametrize("files", [io.BytesIO(b"a.png"), [io.BytesIO(b"a.png")]])
def test_file_objects_are_refused_by_name(sidecar: Sidecar, tmp_path: Path, files: object) -> None:
    with pytest.raises(InvalidParamsError, match="files must be a path, or a list of paths, not BytesIO"):
        sidecar.start(files, tmp_path / "out")  # type: ignore[arg-type]


@pytest.mark.parametrize("languages", ["eng", ["eng"], "eng+eng"])
def test_languages_are_a_string_or_a_list(
    sidecar: Sidecar, tmp_path: Path, languages: str | list[str]
) -> None:
    job = sidecar.start(["missing.png"], tmp_path / "out", languages=languages)

    assert job.result().total_files == 1


def test_a_bad_option_is_named_as_it_was_written(sidecar: Sidecar, tmp_path: Path) -> None:
    with pytest.raises(InvalidParamsError, match=r"^retries must be"):
        sidecar.start(["a.png"], tmp_path / "out", retries=-1)
    with pytest.raises(InvalidParamsError, match="no option retires"):
        sidecar.start(["a.png"], tmp_path / "out", retires=1)  # type: ignore[call-arg]


def test_inspect_says_what_a_file_is(sample: Callable[[str], Sample]) -> None:
    found = ocr_sidecar.inspect(sample("scanned_pdf").path)

    assert (found.type, found.encrypted, found.form) == ("pdf", False, "none")
    assert len(found.page_list) == found.pages
    with pytest.raises(OcrError, match=r"missing\.png"):
        ocr_sidecar.inspect("missing.png")


def test_a_job_tells_of_its_files_and_last_of_its_end(
    sample: Callable[[str], Sample], sidecar: Sidecar, tmp_path: Path
) -> None:
    job = sidecar.start([sample("clean").path, "missing.png"], tmp_path / "out")

    events = list(job)

    assert isinstance(events[0], ProgressMade)
    assert sorted(event.result.status for event in events if isinstance(event, FileDone)) == [
        "completed",
        "failed",
    ]
    assert isinstance(events[-1], JobEnded)
    assert job.result() == job.result()


def test_a_paused_job_goes_on_and_a_cancelled_one_can_be_resumed(
    sample: Callable[[str], Sample], sidecar: Sidecar, tmp_path: Path
) -> None:
    job = sidecar.start(sample("scanned_pdf").path, tmp_path / "out")
    job.pause()
    job.resume()
    job.cancel()
    cancelled = job.result()

    again = sidecar.resume(job.job_id)

    assert cancelled.status == "cancelled"
    assert again is not None
    assert again.result().status == "completed"
    assert sidecar.resume(job.job_id) is None
    assert sidecar.retry_failed(job.job_id) is None
    with pytest.raises(JobNotFoundError):
        sidecar.resume("nothing_such")


def test_a_sidecar_may_be_used_from_any_thread(
    sample: Callable[[str], Sample], sidecar: Sidecar, tmp_path: Path
) -> None:
    results = list[str]()

    def work(number: int) -> None:
        job = sidecar.start(sample("clean").path, tmp_path / f"out{number}")
        results.append(job.result().status)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)

    assert results == ["completed"] * 3


def test_a_sidecar_that_was_closed_starts_anew(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    sidecar = Sidecar(state_dir=tmp_path / "state")
    for number in range(2):
        assert sidecar.start(sample("clean").path, tmp_path / f"out{number}").result().status == "completed"
        sidecar.close()
        sidecar.close()


def test_closing_interrupts_what_is_at_work_and_it_can_be_resumed(
    sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    sidecar = Sidecar(state_dir=tmp_path / "state")
    job = sidecar.start(sample("scanned_pdf").path, tmp_path / "out")

    sidecar.close()
    ended = job.result()
    with Sidecar(state_dir=tmp_path / "state") as another:
        again = another.resume(job.job_id)
        assert again is not None
        result = again.result()

    assert (ended.status, ended.reason) == ("cancelled", "closed")
    assert result.status == "completed"


def test_asyncio_is_never_held_up(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    async def work() -> tuple[str, int, int, str]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.01)
                beats += 1

        beating = asyncio.create_task(beat())
        async with AsyncSidecar(state_dir=tmp_path / "state") as sidecar:
            page = await sidecar.read_page(sample("clean").path)
            job = await sidecar.start([sample("clean").path], tmp_path / "out")
            seen = [event async for event in job]
            result = await job.result()
        beating.cancel()
        return result.status, len(seen), beats, page.text

    status, seen, beats, text = asyncio.run(work())

    assert status == "completed"
    assert seen >= 2
    assert beats > 5
    assert text


def test_a_task_that_is_cancelled_can_cancel_its_job(sample: Callable[[str], Sample], tmp_path: Path) -> None:
    async def work() -> str:
        async with AsyncSidecar(state_dir=tmp_path / "state") as sidecar:
            job = await sidecar.start(sample("scanned_pdf").path, tmp_path / "out")
            waiting = asyncio.create_task(job.result())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await job.cancel()
            return (await job.result()).status

    assert asyncio.run(work()) == "cancelled"


def test_settings_that_make_no_sense_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for workers in (0, -1, "2", 1.5):
        with pytest.raises(InvalidParamsError, match="max_workers must be"):
            Sidecar(max_workers=workers)  # type: ignore[arg-type]
    monkeypatch.setenv("OCR_WORKER_QUEUE_LIMIT", "many")
    with pytest.raises(InvalidParamsError, match="OCR_WORKER_QUEUE_LIMIT"):
        Sidecar()


def test_a_store_that_breaks_meanwhile_is_told_as_an_error_of_ours(
    sidecar: Sidecar, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    scan = sample("clean").path
    job = sidecar.start([scan], tmp_path / "out", dry_run=True)
    job.result()
    with closing(sqlite3.connect(tmp_path / "state" / "jobs.sqlite3")) as store:
        store.executescript("DROP TABLE files; DROP TABLE jobs")

    calls: list[Callable[[], object]] = [
        lambda: sidecar.start([scan], tmp_path / "out"),
        lambda: sidecar.resume("job-1"),
        lambda: sidecar.retry_failed(job.job_id),
        job.result,
        job.pause,
    ]
    for call in calls:
        with pytest.raises(OutputPermissionError, match=r"no such table: jobs.*OCR_WORKER_STATE_DIR"):
            call()
