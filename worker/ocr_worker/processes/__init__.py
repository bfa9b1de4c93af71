"""Page processes: start, watch and kill them, and leave none behind."""
