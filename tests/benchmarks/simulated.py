"""Simulated documents without a study around them."""

from services.generator.backends import WriteRequest
from services.generator.backends.simulator import Simulator
from services.generator.simulation.taxonomy import load_taxonomy

SEED = 20260101


def simulated_documents(count: int) -> list[tuple[str, tuple[str, ...]]]:
    """Return texts of the simulated world with their labels."""
    writer = Simulator().prepare(load_taxonomy().task(), None, {"preset": "reality"}, SEED)
    assert writer.label_law is not None
    labels = [writer.label_law(i) or () for i in range(count)]
    requests = [WriteRequest(i, SEED, own, True) for i, own in enumerate(labels)]
    texts = [candidate.text for candidate in writer.write(requests)]
    return list(zip(texts, labels, strict=True))
