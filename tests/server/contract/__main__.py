"""Hold a running service to its own OpenAPI document, by schemathesis: `python -m tests.server.contract [EXAMPLES [SEED]]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rigs.service import ended
from tests.e2e.material import make_material
from tests.server.contract.kept import KEPT_JOB, NAMED, SERVICE, TOKEN
from tests.server.service import Limited, service, start

DEFAULTS = ("10", "1")
HERE = Path(__file__).parent
LIMITS = {"wrong_tokens_per_minute": 10**9, "requests_per_second": 10**9}


def main() -> int:
    """Return 1 if the service does not keep to its document."""
    examples, seed = (*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :])
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "run",
        "--checks", "all", "--max-examples", examples, "--header", f"Authorization: Bearer {TOKEN}",
        "--seed", seed, "--continue-on-failure", "--no-shrink",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as home:
        root = Path(home) / "root"
        root.mkdir()
        scan = make_material(Path(home)).quick.rename(root / NAMED)
        with service(Path(home), limited=Limited(LIMITS, TOKEN, (root,))) as served:
            with served.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
                job_id = start(client, scan, outputs=["pdf", "txt", "json", "hocr", "alto"])
                ended(client, job_id)
            kept = {KEPT_JOB: job_id, SERVICE: served.address}
            own = {"SCHEMATHESIS_HOOKS": "tests.server.contract.hooks", "PYTHONPATH": os.curdir}
            code = subprocess.run(
                [*command, f"{served.address}openapi.json"], env={**os.environ, **own, **kept}
            ).returncode
            sys.stderr.write(served.log.read_text(encoding="utf-8"))
            return code


sys.exit(main())
