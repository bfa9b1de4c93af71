"""The npm packages as an app has them: packed, installed from the tarballs, found, and spoken to. Skipped by name without npm."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import img2pdf
import pytest

from ocr_worker import __version__
from samples import Sample
from tests.clients.test_typescript import PACKAGE, install
from tests.conftest import REPOSITORY, need_command
from tests.limits import HANG_SECONDS
from tools.npm_worker import make

pytestmark = pytest.mark.slow
WORKER = REPOSITORY / "clients" / "worker-npm"
PLATFORM = {"linux": "linux", "darwin": "darwin"}.get(sys.platform)
PROCESSOR = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
    os.uname().machine if PLATFORM else ""
)
HOST = """
import { OcrSidecar } from '@ocr-sidecar/client';
import { node } from '@ocr-sidecar/client/node';
import { workerPath } from '@ocr-sidecar/worker';

const sidecar = await OcrSidecar.start({ transport: node({ command: workerPath() }), stateDir: process.argv[2] });
console.log(sidecar.hello.versions['ocr-sidecar'], (await sidecar.ping()).state);
await sidecar.stop();
"""
PATH = "const { workerPath } = await import('@ocr-sidecar/worker'); console.log(workerPath());"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app that has both packages, with a stand-in for the frozen worker that runs this checkout's."""
    folder = tmp_path_factory.mktemp("npm")
    packed(folder)
    home = folder / "app"
    home.mkdir()
    (home / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    npm(home, "install", "--offline", *map(str, sorted(folder.glob("*.tgz"))))
    return home


def packed(folder: Path) -> None:
    """The packages as tarballs in a folder, which is made. Skipped by name where there are none."""
    need_command("npm")
    if PLATFORM is None or PROCESSOR is None:
        pytest.skip("the stand-in is a shell script")
    frozen = folder / "frozen"
    frozen.mkdir(parents=True)
    program = frozen / "ocr-worker"
    program.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ocr_worker "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    make(frozen, f"{PLATFORM}-{PROCESSOR}", folder / "platform")
    install()
    for package in (PACKAGE, WORKER, folder / "platform"):
        npm(package, "pack", "--pack-destination", str(folder))


def npm(folder: Path, *arguments: str) -> None:
    done = run(["npm", *arguments, "--no-audit", "--no-fund", "--silent"], folder)
    assert done.returncode == 0, done.stdout + done.stderr


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True,
        encoding="utf-8", timeout=HANG_SECONDS,
    )  # fmt: skip


def test_an_app_finds_the_worker_and_speaks_to_it(app: Path, tmp_path: Path) -> None:
    (app / "host.js").write_text(HOST, encoding="utf-8")

    done = run(["node", "host.js", str(tmp_path / "state")], app)

    assert done.stdout == f"{__version__} idle\n", done.stderr


def test_the_first_example_of_the_clients_readme_runs_as_it_stands(
    app: Path, sample: Callable[[str], Sample], tmp_path: Path
) -> None:
    example = re.search(
        r"^```js\n(.*?)^```", (PACKAGE / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert example
    (app / "readme.js").write_text(
        f"{example[1]}\nconsole.log(successful.length, failed.length);", encoding="utf-8"
    )
    scan = sample("cards").path
    shutil.copy(scan, app / "photo.jpg")
    (app / "scan.pdf").write_bytes(img2pdf.convert([str(scan)]))

    done = run(["node", "readme.js"], app, OCR_WORKER_STATE_DIR=str(tmp_path / "state"))

    assert done.stdout.endswith("\n2 0\n"), done.stdout + done.stderr
    assert {"scan.pdf", "photo.pdf"} <= {path.name for path in (app / "out").iterdir()}


def test_the_types_that_an_app_sees_hold_and_only_one_module_needs_node(app: Path) -> None:
    (app / "host.ts").write_text(
        "import { OcrSidecar, type Event } from '@ocr-sidecar/client';\n"
        "import { port } from '@ocr-sidecar/client/port';\n"
        "const sidecar = await OcrSidecar.start({ transport: port(new MessageChannel().port1) });\n"
        "for await (const event of sidecar.batch(['/a'], '/out')) event satisfies Event;\n"
        "// @ts-expect-error no such option\n"
        "sidecar.batch(['/a'], '/out', { language: 'eng' });\n",
        encoding="utf-8",
    )
    compiler = PACKAGE / "node_modules" / ".bin" / "tsc"
    options = ["--noEmit", "--strict", "--module", "nodenext", "--lib", "es2022,dom"]

    done = run([str(compiler), *options, "host.ts"], app)

    assert done.returncode == 0, done.stdout
    modules = (app / "node_modules" / "@ocr-sidecar" / "client" / "dist").glob("*.js")
    assert {one.name for one in modules if "node:" in one.read_text("utf-8")} == {"node.js"}


def test_npx_gives_the_workers_own_command_line_and_its_exit_code(app: Path, tmp_path: Path) -> None:
    state = {"OCR_WORKER_STATE_DIR": str(tmp_path / "state")}

    version = run(["npx", "--no", "ocr-worker", "version"], app, **state)
    slip = run(["npx", "--no", "ocr-worker", "no-such-command"], app, **state)
    healthy = run(["npx", "--no", "ocr-worker", "doctor"], app, **state)

    assert __version__ in version.stdout
    assert slip.returncode == 2
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr


def test_a_platform_without_its_package_is_named_with_the_way_out(app: Path) -> None:
    elsewhere = "Object.defineProperty(process, 'arch', { value: 'mips' });"
    command = ["node", "--input-type=module", "--eval"]

    missing = run([*command, elsewhere + PATH], app)
    given = run([*command, PATH], app, OCR_WORKER_PATH="/opt/ocr-worker")

    assert re.search(r"@ocr-sidecar/worker-\w+-mips is not installed.*OCR_WORKER_PATH", missing.stderr)
    assert given.stdout == "/opt/ocr-worker\n"


def test_the_package_for_windows_is_installed_there_alone_and_its_program_is_found(tmp_path: Path) -> None:
    need_command("npm")
    frozen, home = tmp_path / "frozen", tmp_path / "app"
    for folder in (frozen, home):
        folder.mkdir()
    (frozen / "ocr-worker.exe").touch()
    make(frozen, "win32-x64", tmp_path / "platform")
    for package in (WORKER, tmp_path / "platform"):
        npm(package, "pack", "--pack-destination", str(tmp_path))
    (home / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    install = ["npm", "install", "--offline", *map(str, sorted(tmp_path.glob("*.tgz")))]
    there = "Object.defineProperties(process, { platform: { value: 'win32' }, arch: { value: 'x64' } });"

    here = run(install, home)
    npm(home, *install[1:], "--force")
    found = run(["node", "--input-type=module", "--eval", there + PATH], home)

    assert "EBADPLATFORM" in here.stderr
    program = home / "node_modules" / "@ocr-sidecar" / "worker-win32-x64" / "ocr-worker" / "ocr-worker.exe"
    assert found.stdout == f"{program}\n", found.stderr


def test_all_packages_have_the_version_of_the_worker() -> None:
    client, worker = (
        json.loads((folder / "package.json").read_text("utf-8")) for folder in (PACKAGE, WORKER)
    )

    assert {client["version"], worker["version"], *worker["optionalDependencies"].values()} == {__version__}


def test_a_package_is_made_of_a_frozen_worker_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no ocr-worker"):
        make(tmp_path, "win32-x64", tmp_path / "out")
    with pytest.raises(ValueError, match="no package for plan9-x64: only for darwin-arm64"):
        make(tmp_path, "plan9-x64", tmp_path / "out")
