"""What tests and benchmark both drive: clusters in one process and on four machines (network namespaces), the service."""

HANG_SECONDS = 300
"""Whatever takes longer here hangs."""
