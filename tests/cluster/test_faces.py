"""The cluster as hosts and people meet it: over a socket of this machine, by a worker of its own."""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import pytest

from ocr_worker.cli.config import read_configuration
from ocr_worker.cli.exit_codes import UsageError
from ocr_worker.cli.options import RunOptions, job_settings
from ocr_worker.cluster.certificates import make_certificates
from ocr_worker.cluster.preload import dask_setup, path_maps
from ocr_worker.cluster.security import checked_address, is_secure
from ocr_worker.errors import ClusterInsecureError
from ocr_worker.settings import TlsFiles
from rigs.embedded import embedded
from rigs.scheduler import SCHEDULER_SETTINGS, SCHEDULER_WORDS
from samples import build
from tests.limits import HANG_SECONDS
from tests.protocol.process import start_worker
from tests.protocol.transcripts import FOLDER, read_steps, replay

TLS = TlsFiles(Path("ca.pem"), Path("node.pem"), Path("node.key"))
NONE_OF_IT = ("dask", "distributed", "tornado", "msgpack", "cryptography")


def test_a_host_is_told_of_the_cluster_and_its_nodes(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (sample,) = build("clean", tmp_path)
    sample.path.rename(tmp_path / "in" / "page.png")
    variables: dict[str, Any] = {"in": str(tmp_path / "in"), "out": str(tmp_path / "out")}
    steps = read_steps(FOLDER / "cluster" / "with_a_node.jsonl")
    with embedded(tmp_path, nodes=1, protocol="tcp") as cluster:
        environment = {
            **os.environ,
            "OCR_WORKER_STATE_DIR": str(tmp_path / "state"),
            "OCR_WORKER_PAGE_PROCESSES": "1",
            "OCR_WORKER_CLUSTER": cluster.address,
        }
        with start_worker([sys.executable, "-m", "ocr_worker"], environment) as session:
            differences = replay(steps, session, variables)

    assert differences == []


@pytest.mark.parametrize(
    "code", ["ocr_worker.cli.app", "ocr_worker.stdio.app", "ocr_worker.jobs.runtime", "ocr_sidecar"]
)
def test_who_names_no_cluster_imports_nothing_of_one(code: str) -> None:
    script = f"import sys, {code}; print([name for name in {NONE_OF_IT!r} if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.stdout.strip() == "[]"


def test_dask_is_taken_in_lean_dask_which_all_others_may_import_meanwhile() -> None:
    script = """
import logging, sys, threading
from ocr_worker.cluster.lean import lean_dask
with lean_dask():
    import distributed
    before = "numpy" in sys.modules
    other = threading.Thread(target=__import__, args=("numpy",))
    other.start()
    other.join()
print(before, "numpy" in sys.modules, logging.getLogger("distributed.batched").isEnabledFor(logging.INFO))
"""

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.stdout.split() == ["False", "True", "False"], done.stderr


def test_without_its_packages_it_says_what_to_install() -> None:
    script = (
        "import sys, importlib.util as util; find = util.find_spec;"
        "util.find_spec = lambda name, *rest: None if name == 'distributed' else find(name, *rest);"
        "sys.argv = ['ocr-worker', 'node', '127.0.0.1:1'];"
        "from ocr_worker.__main__ import main; sys.exit(main())"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=HANG_SECONDS
    )

    assert done.returncode == 3
    assert "pip install 'ocr-sidecar[cluster]'" in done.stderr


@pytest.mark.parametrize(
    ("said", "tls", "insecure", "address"),
    [
        ("localhost", None, False, "tcp://localhost:8786"),
        ("127.0.0.1:99", None, False, "tcp://127.0.0.1:99"),
        ("tcp://[::1]:99", None, False, "tcp://[::1]:99"),
        ("10.0.0.1", TLS, False, "tls://10.0.0.1:8786"),
        ("tls://host:1", TLS, False, "tls://host:1"),
        ("10.0.0.1:5", None, True, "tcp://10.0.0.1:5"),
    ],
)
def test_an_address_is_completed(said: str, tls: TlsFiles | None, insecure: bool, address: str) -> None:  # noqa: FBT001  # of a table
    assert checked_address(said, tls, insecure=insecure) == address
    assert is_secure(address) == address.startswith("tls")


@pytest.mark.parametrize(
    ("said", "tls"),
    [
        ("10.0.0.1", None),
        ("tcp://host:1", None),
        ("tcp://10.0.0.1:1", TLS),
        ("tls://host", None),
        ("ws://host", TLS),
    ],
)
def test_what_leaves_this_machine_takes_certificates(said: str, tls: TlsFiles | None) -> None:
    with pytest.raises(ClusterInsecureError):
        checked_address(said, tls, insecure=False)


@pytest.mark.parametrize(
    "said", ["", "tcp://", "ws://host:1", "host:99999", "host:port", "tls://host:0", ":8786"]
)
def test_what_is_no_address_is_refused_as_such(said: str) -> None:
    """Else a node would try it for ever."""
    with pytest.raises(ClusterInsecureError, match="is no address of a scheduler"):
        checked_address(said, TLS, insecure=True)


def test_certificates_of_one_authority_trust_each_other_and_are_their_owners_alone(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "tls")

    assert [place.name for place in made] == [
        "ca.pem",
        "scheduler.pem",
        "scheduler.key",
        "node.pem",
        "node.key",
    ]
    assert {place.stat().st_mode & 0o077 for place in made} == {0}
    context = ssl.create_default_context(cafile=str(made[0]))
    context.load_cert_chain(made[3], made[4])
    assert context.get_ca_certs()
    with pytest.raises(FileExistsError):
        make_certificates(tmp_path / "tls")


def test_flags_go_before_the_file_and_tls_takes_all_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OCR_WORKER_CLUSTER", raising=False)
    place = tmp_path / "config.yaml"
    place.write_text(
        "cluster: tcp://file:1\ncluster_inline: true\ncluster_on_no_nodes: wait\n", encoding="utf-8"
    )
    configuration = read_configuration(place)

    by_file = job_settings(RunOptions(), configuration).cluster
    by_flag = job_settings(RunOptions(cluster="localhost", insecure=True), configuration).cluster

    assert by_file is not None
    assert by_flag is not None
    assert (by_file.address, by_file.inline, by_file.on_no_nodes) == ("tcp://file:1", True, "wait")
    assert (by_flag.address, by_flag.insecure, by_flag.inline) == ("localhost", True, True)
    with pytest.raises(UsageError, match="three files"):
        job_settings(RunOptions(cluster="localhost", tls_ca=place), configuration)


def test_the_guide_names_the_settings_that_the_scheduler_is_tested_with() -> None:
    guide = (Path(__file__).parents[2] / "docs/cluster.md").read_text("utf-8")

    named = dict(re.findall(r"^ +export (DASK_\w+)='?([^\s']+)'?$", guide, re.MULTILINE))

    assert named == SCHEDULER_SETTINGS
    assert " ".join(SCHEDULER_WORDS) in guide


def test_maps_of_a_preloaded_worker_come_from_a_variable() -> None:
    assert [(one.theirs, one.ours) for one in path_maps("/a=/b;/c=/d")] == [("/a", "/b"), ("/c", "/d")]
    assert path_maps("/a=/b")[0].here("/a/x.png") == "/b/x.png"
    assert path_maps("/a=/b")[0].here("/ab/x.png") is None
    with pytest.raises(ValueError, match="OCR_WORKER_NODE_MAP"):
        path_maps("/a")


def test_a_preloaded_worker_keeps_few_of_the_texts_that_it_sends() -> None:
    added: list[object] = []

    async def plugin_add(plugin: object, **_: object) -> None:
        added.append(plugin)

    worker = SimpleNamespace(state=SimpleNamespace(nthreads=1), plugin_add=plugin_add)
    with dask.config.set({"distributed.admin.low-level-log-length": 1000}):
        asyncio.run(dask_setup(worker))
        length = dask.config.get("distributed.admin.low-level-log-length")

    assert added
    assert length <= 10
