"""What tests and benchmark both drive: a cluster in one process, and one on four machines that are network namespaces."""

HANG_SECONDS = 300
"""Whatever takes longer here hangs."""
