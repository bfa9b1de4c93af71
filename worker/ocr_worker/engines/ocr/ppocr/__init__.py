"""PP-OCRv6 in ONNX Runtime: reads photos, cards and receipts, and again what Tesseract doubts."""
