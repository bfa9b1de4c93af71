"""What schemathesis has to know of this service: `make contract` loads it."""

from __future__ import annotations

from typing import Any

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """A header that a service does not know is no violation of anything."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})
