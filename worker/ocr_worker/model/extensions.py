"""How the names of files end that searches take for inputs."""

from __future__ import annotations

EXTENSIONS = (
    "pdf", "png", "jpg", "jpeg", "jpe", "tif", "tiff", "bmp", "gif", "webp", "pnm", "pbm", "pgm", "ppm",
)  # fmt: skip
