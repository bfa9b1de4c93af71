"""Careful file work: atomic writes, private folders, regular files only, and what dead processes left."""
