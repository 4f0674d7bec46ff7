"""Documents made up to have nothing in common with any other.

Their vectors have unit length and random directions. On patent titles this comes
to about what another domain's titles do; shuffling the dimensions of real
embeddings keeps their mean, and comes to a hundredth of it. Their words are
strings of random letters, as many as real documents have: shuffled real words
would keep the vocabulary, and comparing vocabularies is what some metrics do.
Their labels are dealt at random, as many to each as a real document has.
"""

from dataclasses import replace

import numpy as np

from services.domain.task import Indicator
from services.evaluator.fidelity import Codes, Floats, Sample
from services.evaluator.fidelity.words import lengths

# Long enough that no two words of a million are likely to be the same.
LETTERS = 10


def unrelated(count: int, dimensions: int, rng: np.random.Generator) -> Sample:
    """Return vectors of unit length in random directions, each its own family."""
    x = rng.normal(size=(count, dimensions))
    unit: Floats = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return Sample(unit, np.arange(count))


def stand_in(real: Sample, rng: np.random.Generator, needs: tuple[str, ...] = ()) -> Sample:
    """Return as many unrelated documents as a sample has, each its own family.

    Args:
        real: Gives the numbers of words and labels; without texts or labels there are none.
        rng: Decides vectors, words and labels.
        needs: Whether to make up `texts` and `labels` as well.
    """
    # Words and labels have streams of their own, so that vectors are the same without them.
    of_words, of_labels = rng.spawn(2)
    vectors = unrelated(len(real), real.embeddings.shape[1], rng)
    texts = random_texts(lengths(real), of_words) if "texts" in needs and real.texts is not None else None
    labels = dealt_labels(real.labels, of_labels) if "labels" in needs and real.labels is not None else None
    return replace(vectors, texts=texts, labels=labels, label_names=real.label_names)


def random_texts(counts: Codes, rng: np.random.Generator) -> tuple[str, ...]:
    """Return texts of random words, `counts` words each."""
    letters = rng.integers(ord("a"), ord("z") + 1, (int(counts.sum()), LETTERS), dtype=np.uint8)
    spaced = np.concatenate([letters, np.full((len(letters), 1), ord(" "), dtype=np.uint8)], axis=1)
    everything, width = spaced.tobytes().decode("ascii"), LETTERS + 1
    ends = np.cumsum(counts) * width
    return tuple(
        everything[end - n * width : end].rstrip()
        for end, n in zip(ends.tolist(), counts.tolist(), strict=True)
    )


def dealt_labels(labels: Indicator, rng: np.random.Generator) -> Indicator:
    """Return random labels, as many per document as there, shape (n, labels)."""
    return np.asarray(rng.permuted(labels, axis=1), dtype=np.bool_)
