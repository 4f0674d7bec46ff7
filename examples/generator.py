"""Have documents written by the generator service alone.

Usage: python examples/generator.py [address]

Start the service first: python -m services.generator
"""

import sys

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import StudyError
from services.domain.task import Task, TaskType
from services.generator.client import GeneratorClient
from services.generator.planning import GenerationSpec

TASK = Task(TaskType.MULTI_LABEL, ("cane", "hearing aid"))
TEXTS = {
    "A folding cane with a grip that warns of steps and of kerbs.": ("cane",),
    "A cane with a sensor in the tip that feels the ground ahead.": ("cane",),
    "A hearing aid with a sensor that turns the volume down in the wind.": ("hearing aid",),
    "A hearing aid that warns of traffic and of steps from behind.": ("hearing aid",),
    "A cane with a loudspeaker that sends the sound ahead to a hearing aid.": ("cane", "hearing aid"),
}
REAL = Corpus(
    TASK, tuple(Document(f"r{i}", text, labels, f"r{i}") for i, (text, labels) in enumerate(TEXTS.items()))
)


def main(address: str = "127.0.0.1:50051") -> None:
    client = GeneratorClient(address)
    print("backends:", ", ".join(backend.name for backend in client.list_backends()))
    spec = GenerationSpec(
        generator="chain",
        backend="markov",
        parameters={},
        strategy="label_conditioned",
        seed=7,
        task=TASK,
        real=REAL,
        label_source="empirical",
    )
    for outcome in client.generate(spec, start=0, count=6):
        if outcome.document is None:
            print(f"{outcome.index}  not kept: {outcome.rejection_reason or outcome.failure_reason}")
        else:
            print(f"{outcome.index}  {' + '.join(outcome.document.labels)}: {outcome.document.text}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except StudyError as error:
        sys.exit(f"Error: {error.message}")
