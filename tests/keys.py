"""Keys for a program that a test has started: a signal, and on Windows, where a console is shared by many, its word in a file.

As there, it comes in a thread of the program's own, once the file names it; at a console of its own the system sends it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

SEEN = "import ctypes; of = ctypes.windll.kernel32; seen = (of.GetConsoleWindow(), of.GetConsoleCP() > 0)"
"""Has a program on Windows see the window of its console, 0 where that has none, and whether it has a console."""
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

_AT_A_CONSOLE = """
import ctypes, pathlib, signal, subprocess, sys, time

order = pathlib.Path(sys.argv[1])
keys = {"SIGINT": signal.CTRL_C_EVENT, "SIGBREAK": signal.CTRL_BREAK_EVENT}
for number in (signal.SIGINT, signal.SIGBREAK):
    signal.signal(number, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-m", "ocr_worker"], stdin=0, stdout=1, stderr=2)
while not (name := order.exists() and order.read_text()) and worker.poll() is None:
    time.sleep(0.02)
ctypes.windll.kernel32.GenerateConsoleCtrlEvent(keys[name], 0)
sys.exit(worker.wait())
"""


def listening(order: Path) -> tuple[str, ...]:
    """The command line of an `ocr-worker` that takes the name of a key in this file for the key."""
    return sys.executable, "-c", _LISTENING, str(order)


def at_a_console(order: Path) -> tuple[str, ...]:
    """What starts an `ocr-worker` at its own console, and has the system press there the key that this file names."""
    return sys.executable, "-c", _AT_A_CONSOLE, str(order)


def press_ctrl_c(process: subprocess.Popen[str], order: Path) -> None:
    """Interrupt it; on Windows it is one that listens to the file."""
    if sys.platform == "win32":
        order.write_text("SIGINT", encoding="ascii")
    else:
        process.send_signal(signal.SIGINT)
