from __future__ import annotations

import signal
import time

from tests.cli.command import LIMIT_SECONDS, Command, write_papers


def test_a_watched_folder_is_kept_done_until_ctrl_c(ocr: Command) -> None:
    (ocr.home / "in").mkdir()
    with ocr.start("batch", "in", "-o", "out", "--watch", "--verbose") as process:
        assert process.stderr is not None
        (paper,) = write_papers(ocr.home / "in", 1)
        wait_for(process.stderr, "Finished in/paper01.pdf")
        later = write_papers(ocr.home / "later", 2)[1]
        paper.write_bytes(later.read_bytes())
        wait_for(process.stderr, "Finished in/paper01.pdf")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_SECONDS)

    assert process.returncode == 0
    assert "This is paper02" in (ocr.home / "out" / "paper01.txt").read_text(encoding="utf-8")
    assert [job["stats"]["completed"] for job in ocr.answer("jobs")] == [1, 1]


def wait_for(stream: object, text: str) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while text not in (line := stream.readline()):  # type: ignore[attr-defined]
        assert line
        assert time.monotonic() < end
