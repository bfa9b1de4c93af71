"""Run the acceptance cases that this state of the product promises, where the kit lies beside the repository.

A third argument is the worker's command line, where it is not this environment's.
"""

import os
import subprocess
import sys
from pathlib import Path

kit, promised = Path(sys.argv[1]), Path(sys.argv[2])
lines = (line.partition("#")[0].strip() for line in promised.read_text(encoding="utf-8").splitlines())
cases = [line for line in lines if line]
if kit.exists():
    worker = sys.argv[3] if sys.argv[3:] else os.fspath(Path(sys.executable).with_name("ocr-worker"))
    sys.exit(subprocess.call([sys.executable, str(kit), "--worker", worker, *cases]))
print(f"{kit} is not there: none of the {len(cases)} acceptance cases was run.")
