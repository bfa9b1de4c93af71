"""Faults of the product that a test shows and nobody has mended yet: test to what is wrong. Strict, so that none outlives its mending."""

KNOWN = {
}
