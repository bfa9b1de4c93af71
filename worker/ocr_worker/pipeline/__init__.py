"""Page work: what runs inside a page process. Knows nothing of the wire or the store."""
