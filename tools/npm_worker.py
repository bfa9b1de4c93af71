"""Make the npm package of one platform's worker: `python tools/npm_worker.py FROZEN PLATFORM TARGET`.

FROZEN is the folder of a frozen worker, whose program is `ocr-worker` or `ocr-worker.exe`; PLATFORM is named as Node does,
such as linux-x64. TARGET is made, ready for `npm pack`.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAIN = ROOT / "clients" / "worker-npm" / "package.json"


def main(arguments: list[str]) -> int:
    """Return 1 with the reason if there is nothing to make a package of."""
    if len(arguments) != 3:
        sys.stderr.write(f"{__doc__}\n")
        return 1
    frozen, platform, target = Path(arguments[0]), arguments[1], Path(arguments[2])
    try:
        make(frozen, platform, target)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def make(frozen: Path, platform: str, target: Path) -> None:
    """Write the package.

    Raises:
        ValueError: the platform has no package, or the folder no program.
    """
    package = json.loads(MAIN.read_text(encoding="utf-8"))
    name = f"{package['name']}-{platform}"
    if name not in package["optionalDependencies"]:
        known = ", ".join(other.partition("worker-")[2] for other in package["optionalDependencies"])
        raise ValueError(f"There is no package for {platform}: only for {known}")
    system, _, processor = platform.partition("-")
    program = "ocr-worker.exe" if system == "win32" else "ocr-worker"
    if not (frozen / program).is_file():
        raise ValueError(f"{frozen} holds no {program}")
    target.mkdir(parents=True)
    # npm packs no links, so what they lead to takes their place.
    shutil.copytree(frozen, target / "ocr-worker")
    described = {
        "name": name,
        "version": package["version"],
        "description": f"The OCR Sidecar worker for {platform}. Install {package['name']}.",
        "license": package["license"],
        "os": [system],
        "cpu": [processor],
        **({"libc": ["glibc"]} if system == "linux" else {}),
        "files": ["ocr-worker"],
        "preferUnplugged": True,
    }
    (target / "package.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
