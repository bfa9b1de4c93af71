"""Faults of the product that a test shows and nobody has mended yet: test to what is wrong. Strict, so that none outlives its mending."""

KNOWN = {
    "test_disk.py::test_a_full_state_disk_loses_no_job_and_the_worker_answers": "job_store: a full disk is `internal`, not `no_space`",
    "test_disk.py::test_a_state_disk_that_fills_up_in_mid_run_leaves_a_job_that_can_be_resumed": "job_run.fail: the store says running for good",
    "test_disk.py::test_an_output_disk_that_turns_read_only_fails_the_file_alone": "whole.staging: unlink raises EROFS, the manifest's thread ends the worker",
    "test_processes.py::test_without_room_for_processes_the_worker_says_so_and_lives": "manifest_keeper: no room for its thread ends the worker",
    "test_processes.py::test_without_file_descriptors_the_worker_says_so_and_lives": "manifest_keeper: a store that can't be opened ends the worker",
    "test_processes.py::test_the_pages_of_a_torn_file_say_what_became_of_each": "picture_pdf: a frame that is too large fails the whole file",
    "test_state.py::test_a_store_that_can_not_be_read_is_said_so_and_left_alone[ocr_batch-_damage_inside]": "job_store: damage found later is `DatabaseError`",
    "test_state.py::test_a_store_that_can_not_be_read_is_said_so_and_left_alone[list_jobs-_damage_inside]": "job_store: damage found later is `DatabaseError`",
    "test_security.py::test_what_is_kept_is_closed_to_others_whatever_the_umask": "job_store: -wal and -shm get 0644",
}
