"""What a contract's service has from the start, for requests to find: a job that was read, and a file."""

TOKEN = "a-token-of-some-length"
NAMED = "scan.png"
"""Below its root."""
KEPT_JOB, SERVICE = "CONTRACT_JOB", "CONTRACT_SERVICE"
"""Variables with its id and the address of the service, for the hooks."""
