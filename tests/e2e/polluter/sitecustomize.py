"""A library as found in the field: on its import it writes to stdout from Python, from C and from a child, and at exit again.

Python runs this at its start when the folder is on PYTHONPATH; the libraries that set it off come after fd 1 is claimed.
"""

import atexit
import ctypes
import os
import subprocess
import sys
from pathlib import Path

LOUD = {"psutil", "tesserocr"}


def pollute(event: str, arguments: tuple[object, ...]) -> None:
    if event == "import" and arguments[0] in LOUD:
        LOUD.remove(str(arguments[0]))
        speak("import")
        atexit.register(speak, "exit")


def speak(when: str) -> None:
    print(f"python {when}", flush=True)
    os.write(1, b"descriptor\n")
    ctypes.CDLL(None).puts(b"C library")
    ctypes.CDLL(None).fflush(None)
    kind = "page" if "page-process" in sys.orig_argv else "main"
    if kind == "main":
        # Page processes start none.
        subprocess.run(["/bin/sh", "-c", "echo child; cat"], check=True)
    Path(os.environ["POLLUTED"], f"{kind}-{when}").touch()


sys.addaudithook(pollute)
