"""The small checkpoint, written once."""

import pytest

from tests.unit.classifier.checkpoint import tiny_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a BERT of two random layers."""
    return str(tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny"))
