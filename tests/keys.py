"""Ctrl-C for a program that a test has started: a signal, and on Windows, where Wine's consoles deliver no key, its word in a file.

As there, it comes in a thread of the program's own, once the file names it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

_LISTENING = """
import signal, sys, threading, time
from pathlib import Path

def press(order):
    while not (name := order.exists() and order.read_text()):
        time.sleep(0.02)
    signal.raise_signal(signal.Signals[name])

threading.Thread(target=press, args=(Path(sys.argv.pop(1)),), daemon=True).start()
from ocr_worker.__main__ import main
sys.exit(main())
"""


def listening(order: Path) -> tuple[str, ...]:
    """The command line of an `ocr-worker` that takes the name of a key in this file for the key."""
    return sys.executable, "-c", _LISTENING, str(order)


def press_ctrl_c(process: subprocess.Popen[str], order: Path) -> None:
    """Interrupt it; on Windows it is one that listens to the file."""
    if sys.platform == "win32":
        order.write_text("SIGINT", encoding="ascii")
    else:
        process.send_signal(signal.SIGINT)
