"""Make text safe for XML."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_safe(text: str) -> str:
    """Characters that XML has no way to write become U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)
