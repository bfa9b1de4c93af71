"""A folder that is named by path: what is read of it, in which order, and what is refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ocr_worker.errors import InvalidParamsError
from ocr_worker.jobs.folder_search import Search
from ocr_worker.server.places import Places
from rigs.service import ended, ended_files
from tests.e2e.material import Material


@pytest.fixture(scope="module")
def letters(root: Path, material: Material, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in folders, and beside them what is not to be read."""
    folder = root / "letters"
    material.quick_files(folder, 2)
    material.quick_files(folder / "older", 1)
    material.quick_files(folder / ".hidden", 1)
    (folder / "notes.doc").write_text("no scan")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    material.quick_files(elsewhere, 1)
    (folder / "linked.png").symlink_to(elsewhere / "quick-001.png")
    (folder / "linked").symlink_to(elsewhere)
    return folder


READ = ["letters/older/quick-001.png", "letters/quick-001.png", "letters/quick-002.png"]


def names(client: httpx.Client, job_id: str) -> list[str]:
    files = client.get(f"/api/v1/jobs/{job_id}/files").json()["files"]
    return [file["name"] for file in files]


def test_all_readable_files_of_a_folder_are_read_in_their_order_and_no_link_is_followed(
    client: httpx.Client, letters: Path, root: Path, material: Material
) -> None:
    [alone] = material.quick_files(root / "alone", 1)
    asked = [{"path": "letters/quick-002.png"}, {"path": "letters"}, {"path": str(alone)}]
    made = client.post("/api/v1/jobs", json={"files": asked})

    assert made.status_code == 201, made.text
    assert made.json()["file_count"] == 4
    job_id = made.json()["job_id"]
    assert {file["status"] for file in ended_files(client, job_id)} <= {"completed", "skipped"}
    assert names(client, job_id) == [READ[2], *READ[:2], "alone/quick-001.png"]


def test_what_was_written_beside_the_files_is_not_read_the_next_time(
    client: httpx.Client, root: Path, material: Material
) -> None:
    material.quick_files(root / "twice", 2)
    asked = {"files": [{"path": "twice"}], "output_dir": "twice", "options": {"outputs": ["pdf", "json"]}}
    for _ in range(2):
        job_id = client.post("/api/v1/jobs", json=asked).json()["job_id"]
        ended(client, job_id)

        assert names(client, job_id) == ["twice/quick-001.png", "twice/quick-002.png"]
    assert len(list((root / "twice").glob("*.pdf"))) == 2


def test_the_note_has_an_item_for_each_file_of_a_folder(client: httpx.Client, letters: Path) -> None:
    made = client.post("/api/batch/start", json={"files": [str(letters) + "/", "letters/quick-001.png"]})

    assert made.json()["totalItems"] == 3, made.text
    job_id = made.json()["jobId"]
    list(ended(client, job_id))
    items = client.get(f"/api/batch/status/{job_id}").json()["items"]
    assert [item["path"] for item in items] == [f"{letters.parent}/{name}" for name in READ]


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("bare", 404, "bare has no PDF and no picture."),
        ("..", 403, "The path lies outside of the folders that this service may read."),
        ("letters/linked", 403, "The path lies outside of the folders that this service may read."),
    ],
)
def test_a_folder_with_nothing_to_read_or_elsewhere_is_refused(
    client: httpx.Client, letters: Path, path: str, status: int, why: str
) -> None:
    (letters.parent / "bare").mkdir(exist_ok=True)
    answer = client.post("/api/v1/jobs", json={"files": [{"path": path}]})

    assert (answer.status_code, answer.json()["error"]["message"]) == (status, why)


@pytest.mark.parametrize("url", ["/api/v1/jobs", "/api/batch/start"])
def test_a_name_that_no_file_can_have_is_a_file_that_fails_and_no_failure_of_the_request(
    client: httpx.Client, url: str
) -> None:
    name = 4000 * "0"
    files = [{"path": name}] if "v1" in url else [name]
    made = client.post(url, json={"files": files})

    assert made.is_success, made.text
    told = made.json()
    job_id = told.get("job_id") or told["jobId"]
    assert [file["status"] for file in ended_files(client, job_id)] == ["failed"]


def test_what_is_told_of_a_root_itself_does_not_say_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    places = Places(tmp_path / "state", (tmp_path / "scans",))
    told = places.without_paths(
        f"The input folder {tmp_path / 'scans'} can't be read, nor {tmp_path / 'scans' / 'a'}."
    )

    assert told == "The input folder scans can't be read, nor a."


def test_a_folder_with_too_many_files_or_too_much_to_look_through_is_refused(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").touch()

    assert len(Search(None, most=3)(tmp_path)) == 3
    with pytest.raises(InvalidParamsError, match="has more than 2 files to read"):
        Search(None, most=2)(tmp_path)
    with pytest.raises(InvalidParamsError, match="takes too long"):
        Search(None, limit_seconds=-1)(tmp_path)
