"""The only importers of OCR, PDF and image libraries."""
