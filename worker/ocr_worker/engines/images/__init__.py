"""Image files and bitmaps: reading, filtering, drawing, embedding into PDFs."""
