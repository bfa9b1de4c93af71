"""How long a test waits before it takes something for hung."""

HANG_SECONDS = 300
"""More than ten times what the longest wait here takes. What is promised in seconds is for `python -m bench control` to measure."""
