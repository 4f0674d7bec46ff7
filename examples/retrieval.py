"""Search documents by their labels with the retrieval service alone.

Usage: python examples/retrieval.py [address]

Start the service first: python -m services.retrieval
"""

import sys

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import StudyError
from services.domain.task import Task, TaskType
from services.retrieval.client import IndexSpec, RetrievalClient, SegmentRows

TASK = Task(TaskType.MULTI_LABEL, ("cane", "hearing aid", "lift"))


def corpus(name: str, *rows: tuple[str, tuple[str, ...]]) -> Corpus:
    documents = (Document(f"{name}{i}", text, labels, f"{name}{i}") for i, (text, labels) in enumerate(rows))
    return Corpus(TASK, tuple(documents))


REAL = corpus(
    "real",
    ("A cane that feels the ground ahead.", ("cane",)),
    ("A lift for stairs with a folding seat.", ("lift",)),
    ("A cane that speaks into a hearing aid.", ("cane", "hearing aid")),
)
SYNTHETIC = corpus("synthetic", ("A hearing aid that hears the lift come.", ("hearing aid", "lift")))
QUERIES = corpus(
    "query",
    ("A cane with a loudspeaker for the ear.", ("cane", "hearing aid")),
    ("A bell for lifts.", ("lift",)),
)


def main(address: str = "127.0.0.1:50054") -> None:
    client = RetrievalClient(address)
    print("retrievers:", ", ".join(retriever.name for retriever in client.list_retrievers()))
    segments = (SegmentRows(REAL), SegmentRows(SYNTHETIC, synthetic=True))
    index = client.build_index(IndexSpec("jaccard", segments, TASK))
    for found in client.search(index, QUERIES, depth=3):
        print(f"{found.query_id}:", ", ".join(f"{hit.document_id} {hit.score:.2f}" for hit in found.hits))
    for reading in ("real_only", "all"):
        for one in client.evaluate_index(index, QUERIES, reading=reading).measurements:
            value = one.undefined_reason if one.value is None else f"{one.value:.3f}"
            print(f"{one.metric}, {reading}: {value} (n = {one.sample_count})")
    client.delete_index(index)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:2])
    except StudyError as error:
        sys.exit(f"Error: {error.message}")
