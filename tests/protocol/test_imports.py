"""The package imports pydantic and the standard library alone, and not the generator."""

from __future__ import annotations

import subprocess
import sys

from tests.limits import HANG_SECONDS

ALLOWED = {
    "ocr_protocol",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "typing_inspection",
}
SCRIPT = """
import sys
before = set(sys.modules)
import ocr_protocol
ocr_protocol.decode(b'{"command":"hello"}')
sys.stdout.write(" ".join(set(sys.modules) - before))
"""


def test_the_protocol_imports_pydantic_and_the_standard_library_alone() -> None:
    command = [sys.executable, "-c", SCRIPT]

    loaded = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=HANG_SECONDS
    ).stdout.split()

    roots = {name.partition(".")[0] for name in loaded if not name.startswith("_sysconfigdata")}
    assert roots - sys.stdlib_module_names <= ALLOWED
    assert "ocr_protocol.schema" not in loaded
    assert "email_validator" not in loaded
