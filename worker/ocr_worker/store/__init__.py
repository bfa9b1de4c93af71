"""All that outlives the worker: the database of jobs, their locks, their manifests."""
