"""Measure how near two corpora are to real text with the evaluator service alone.

Usage: python examples/evaluator.py [address]

Start the service first: python -m services.evaluator
"""

import sys
from itertools import product

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import StudyError
from services.domain.task import Task, TaskType
from services.evaluator.client import EvaluatorClient
from services.evaluator.planning import FidelitySpec

TASK = Task(TaskType.SINGLE_LABEL, ("cane", "hearing aid"))
THINGS = {
    "cane": ("folding cane", "white cane", "walking stick"),
    "hearing aid": ("ear piece", "loop", "amplifier"),
}
PARTS = ("sensor", "grip", "battery", "lamp", "motor")
PURPOSES = ("street", "kitchen", "school", "station")


def corpus(name: str, pattern: str) -> Corpus:
    filled = [
        (pattern.format(thing=thing, part=part, purpose=purpose), label)
        for label, things in THINGS.items()
        for thing, part, purpose in product(things, PARTS, PURPOSES)
    ]
    documents = (
        Document(f"{name}{i}", text, (label,), f"{name}{i}") for i, (text, label) in enumerate(filled)
    )
    return Corpus(TASK, tuple(documents))


REAL = corpus("real", "A {thing} for the {purpose} that comprises a {part} and a housing.")
NEAR = corpus("near", "A {thing} for the {purpose} that comprises a {part} and a cover.")
FAR = corpus("far", "Buy the best {thing}! Our {part} makes every {purpose} fun, now cheap.")


def main(address: str = "127.0.0.1:50053") -> None:
    client = EvaluatorClient(address)
    known = [metric.name for metric in client.list_metrics().metrics if metric.kind == "fidelity"]
    print("fidelity metrics:", ", ".join(known))
    real, near, far = client.embed((REAL, NEAR, FAR), "lsa", fit_on=REAL)
    spec = FidelitySpec(REAL, real, (NEAR, FAR), (near, far), ("mmd2", "remote_clique"))
    for name, measured in zip(("near", "far"), client.measure_fidelity(spec), strict=True):
        for one in measured:
            value = one.undefined_reason if one.value is None else f"{one.value:.4f}"
            print(f"{name}: {one.metric} = {value} (n = {one.sample_count})")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except StudyError as error:
        sys.exit(f"Error: {error.message}")
