"""Train a classifier and label new texts with the classifier service alone.

Usage: python examples/classifier.py [address]

Start the service first: python -m services.classifier
"""

import sys

from services.classifier.client import ClassifierClient
from services.classifier.specification import InlineTraining
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import StudyError
from services.domain.task import Task, TaskType

TASK = Task(TaskType.MULTI_LABEL, ("cane", "hearing aid"))
WORDS = {
    ("cane",): ("a folding cane", "a cane with a grip", "a cane that feels the ground", "a cane with a tip"),
    ("hearing aid",): ("an ear mould", "an ear piece with a microphone", "a microphone for the ear"),
    ("cane", "hearing aid"): ("a cane with a microphone", "a cane that speaks into the ear"),
}
PURPOSES = ("for the street", "for the kitchen", "for children", "for travellers", "for the night")


def corpus(name: str, purposes: tuple[str, ...]) -> Corpus:
    texts = [
        (f"{thing} {what}", labels)
        for labels, things in WORDS.items()
        for thing in things
        for what in purposes
    ]
    return Corpus(
        TASK,
        tuple(Document(f"{name}{i}", text, labels, f"{name}{i}") for i, (text, labels) in enumerate(texts)),
    )


def main(address: str = "127.0.0.1:50052") -> None:
    client = ClassifierClient(address)
    print("families:", ", ".join(family.name for family in client.list_families()))
    training = InlineTraining(corpus("train", PURPOSES[:3]), corpus("test", PURPOSES[3:]), "tfidf_linear")
    results = client.train(training, lambda run: print(f"{run.state}: {run.done} of {run.total} plans"))
    print("scores:", results[0].uri[:24] + "…")
    model = next(model for model in client.list_models() if model.task == TASK)
    texts = ["a cane for the stairs", "a tiny microphone worn in the ear"]
    for text, predicted in zip(texts, client.predict(model.id, texts), strict=True):
        scores = ", ".join(
            f"{label} {score:.2f}" for label, score in zip(TASK.labels, predicted.scores, strict=True)
        )
        print(f"{text!r}: {' + '.join(predicted.labels) or 'nothing'} ({scores})")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except StudyError as error:
        sys.exit(f"Error: {error.message}")
