"""PDF files: PDFium for how pages look, qpdf for how they are built, and repair.

PDFium comes before pikepdf, whose wheel for musl has a second C++ library in it: were that loaded first, it would be
that of an OCR engine as well, and end the process.
"""

import pypdfium2  # noqa: F401
