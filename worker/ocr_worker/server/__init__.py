"""The face for browsers and programs on a network: HTTP, with events as they happen, and a page."""
