"""What schemathesis has to know of this service: `make contract` loads it."""

from __future__ import annotations

import re
from typing import Any

import schemathesis

ENGINE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """A header that a service does not know is no violation of anything."""
    return "x-schemathesis-unknown-property" not in (case.headers or {})


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Names of engines that are not installed are told with 422, and which are installed no document can know."""
    options = body.get("options") if isinstance(body, dict) else None
    if isinstance(options, dict) and ENGINE_NAME.fullmatch(str(options.get("engine"))):
        return {**body, "options": {**options, "engine": "auto"}}
    return body
