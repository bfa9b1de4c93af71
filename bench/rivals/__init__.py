"""The contenders that are no commands of their own, as scripts: `python -m bench.rivals.NAME JOBS OUTPUT_FOLDER FILE…`."""
