"""Pages on the nodes of a Dask cluster. Imported only where one is named; `distributed` only by the engine and the node."""
