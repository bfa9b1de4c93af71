"""Wrappers of OCR, PDF and image libraries. Nobody else imports those."""
