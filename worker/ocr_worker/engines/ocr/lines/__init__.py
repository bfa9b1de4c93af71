"""The engine `lines`: Tesseract finds the lines, its own network reads them in ONNX Runtime."""
