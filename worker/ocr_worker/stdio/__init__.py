"""The face for hosts: commands and events as lines of JSON on stdin and stdout."""
