"""The wire: commands, events, and the codec between them and bytes."""
