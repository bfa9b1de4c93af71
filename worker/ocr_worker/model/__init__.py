"""Plain data that all rooms share: jobs, tasks, options, results, events."""
