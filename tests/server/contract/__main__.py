"""Hold a running service to its own OpenAPI document: `python -m tests.server.contract [EXAMPLES]`, by schemathesis."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.server.service import Limited, service

HERE = Path(__file__).parent
TOKEN = "a-token-of-some-length"
LIMITS = {"wrong_tokens_per_minute": 10**9, "requests_per_second": 10**9}


def main() -> int:
    """Return 1 if the service does not keep to its document."""
    examples = sys.argv[1] if len(sys.argv) > 1 else "10"
    command = [
        str(Path(sys.executable).with_name("st")), "--config-file", str(HERE / "schemathesis.toml"), "run",
        "--checks", "all", "--max-examples", examples, "--header", f"Authorization: Bearer {TOKEN}",
        "--seed", "1", "--continue-on-failure", "--no-shrink",
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.server.contract.hooks", "PYTHONPATH": os.curdir}
    with tempfile.TemporaryDirectory() as home:
        root = Path(home) / "root"
        root.mkdir()
        with service(Path(home), limited=Limited(LIMITS, TOKEN, (root,))) as served:
            code = subprocess.run([*command, f"{served.address}openapi.json"], env=environment).returncode
            sys.stderr.write(served.log.read_text(encoding="utf-8"))
            return code


sys.exit(main())
