"""What `ocr_sidecar` exports: the face for Python programs."""
