"""Print the targets of a Makefile with the sentence behind their `##`."""

import re
import sys
from pathlib import Path

for name, sentence in re.findall(
    r"^([\w-]+):.*## (.*)$", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE
):
    print(f"make {name:14}{sentence}")
