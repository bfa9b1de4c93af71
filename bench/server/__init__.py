"""The service under load: `make bench-server`."""
