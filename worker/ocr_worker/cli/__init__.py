"""The command line: a face over the service, beside the stdio worker. Opens no user's file itself; page processes do."""
