"""The benchmark: accuracy beside plain Tesseract, speed beside other tools. No part of the product."""
