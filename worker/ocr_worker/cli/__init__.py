"""The command line: a face beside the stdio worker. It opens no user's file itself; page processes do."""
