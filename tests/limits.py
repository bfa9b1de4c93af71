"""What tests take for granted of the machine: how long a test waits before it takes something for hung, and whose Windows it is."""

import ctypes
import sys

HANG_SECONDS = 300
"""More than ten times what the longest wait here takes. What is promised in seconds is for `python -m bench control` to measure."""
IS_WINE = sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
