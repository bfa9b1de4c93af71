"""The benchmark's tests share the fixtures of the product's."""

from tests.conftest import corpus, pytest_runtest_setup, sample

__all__ = ["corpus", "pytest_runtest_setup", "sample"]
