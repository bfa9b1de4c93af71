"""The core: one runtime owns all jobs, a run does one job, its course decides."""
