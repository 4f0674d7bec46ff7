"""Words of a corpus that are used alike: what stands in for a thesaurus of its field."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

# Words this far to the left and to the right are a word's contexts; near ones tell what can replace it,
# farther ones only what it is about.
WINDOW = 2
NEAREST = 8
# A rarer word has met its few contexts by chance.
LEAST_COUNT = 5
# A word of more than half of the documents is grammar, or the field's name.
COMMON_SHARE = 0.5
# Bound the work: one product of (words, 2 · contexts) with itself.
MOST_WORDS, MOST_CONTEXTS = 1500, 400
# Digits of a similarity that decide; between equals the more frequent word is nearer.
DIGITS = 4

Neighbours = Mapping[str, tuple[str, ...]]
"""For each known word its neighbours, nearest first."""


def word_of(token: str) -> str:
    """Return the word in a piece of text between spaces, case-folded; empty where it has no letter."""
    stripped = token.strip("\"'.,;:!?()[]{}<>“”‘’„«»…").casefold()
    return stripped if any(char.isalpha() for char in stripped) else ""


def learn_neighbours(texts: Iterable[str]) -> Neighbours:
    """Return the words that share most contexts with each word of some texts.

    Words have vectors over their contexts (side and word, weighted by positive pointwise mutual
    information); neighbours are the nearest by cosine. Similar use is not similar meaning: left and
    right are neighbours.

    Args:
        texts: The only ones that anything is learned from.

    Returns:
        At most `NEAREST` neighbours for each of the most frequent words, function words left out; empty
        where no word occurs `LEAST_COUNT` times.

    Source: Bullinaria and Levy (2007), Behavior Research Methods 39:510-526.
    """
    documents = [[word_of(token) for token in text.split()] for text in texts]
    counts = Counter(word for words in documents for word in words if word)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    spread = Counter(word for words in documents for word in set(words))
    known = [
        word
        for word in ranked
        if counts[word] >= LEAST_COUNT and spread[word] <= COMMON_SHARE * len(documents)
    ][:MOST_WORDS]
    if len(known) < 2:
        return {}
    vectors = _weighted(_context_counts(documents, known, ranked[:MOST_CONTEXTS]))
    return _nearest(known, vectors)


def _context_counts(
    documents: Sequence[Sequence[str]], known: Sequence[str], contexts: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return how often contexts stand beside words, shape (known, 2 · contexts): left ones, then right ones."""
    row, column = ({word: i for i, word in enumerate(words)} for words in (known, contexts))
    # Gaps keep words of different documents apart.
    stream = [word for words in documents for word in [*words, *[""] * WINDOW]]
    rows = np.array([row.get(word, -1) for word in stream])
    columns = np.array([column.get(word, -1) for word in stream])
    width = 2 * len(contexts)
    found = np.zeros(len(known) * width, dtype=np.int64)
    for distance in range(1, WINDOW + 1):
        sides = ((rows[distance:], columns[:-distance]), (rows[:-distance], columns[distance:]))
        for side, (word, context) in enumerate(sides):
            both = (word >= 0) & (context >= 0)
            cells = word[both] * width + side * len(contexts) + context[both]
            found += np.bincount(cells, minlength=len(found))
    return found.reshape(len(known), width).astype(np.float32)


def _weighted(counts: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return positive pointwise mutual information, rows of length 1 or 0."""
    rows, columns = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True)
    ratio = counts * counts.sum() / np.maximum(rows * columns, 1)
    weights = np.log(np.maximum(ratio, 1))
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    # A word that met nothing but unknown words has no direction, and then no neighbours.
    vectors: npt.NDArray[np.float32] = weights / np.where(lengths > 0, lengths, 1)
    return vectors


def _nearest(known: Sequence[str], vectors: npt.NDArray[np.float32]) -> Neighbours:
    similarity = np.round(vectors @ vectors.T, DIGITS)
    np.fill_diagonal(similarity, 0)
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :NEAREST]
    return {
        word: near
        for i, word in enumerate(known)
        if (near := tuple(known[j] for j in order[i] if similarity[i, j] > 0))
    }
