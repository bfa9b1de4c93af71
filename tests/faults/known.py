"""Faults of the product that a test shows and nobody has mended yet: test to what is wrong. Strict, so that none outlives its mending."""

KNOWN = {
    "test_disk.py::test_an_output_disk_that_turns_read_only_fails_the_file_alone": "whole.staging: unlink raises EROFS, the manifest's thread ends the worker",
    "test_processes.py::test_the_pages_of_a_torn_file_say_what_became_of_each": "picture_pdf: a frame that is too large fails the whole file",
}
