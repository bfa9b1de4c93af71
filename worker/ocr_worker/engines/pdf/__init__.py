"""PDF files: PDFium for how pages look, qpdf for how they are built, and repair."""
