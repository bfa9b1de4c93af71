"""Shards of a plan, for batch schedulers: each is done by one process, on any machine that reaches the files by URL."""
