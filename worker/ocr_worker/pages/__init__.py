"""One task in a page process: open, read, compose, inspect or draw. Knows neither the wire nor the store."""
