"""OCR engines: what one must offer, how it is found, and Tesseract, which comes with us."""
