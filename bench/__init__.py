"""The benchmark and the material it is run on. No part of the product; tests and the demo use its corpora."""
