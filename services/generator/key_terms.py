"""The words and word pairs that tell a label's documents from those of the others."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise

from services.domain.corpus import Corpus

Terms = tuple[str, ...]

SHORTEST = 3
# A term of one document is more likely its own than its label's.
LEAST_DOCUMENTS = 2
COMMON_SHARE = 0.5

_CLAUSE = re.compile(r"[.,;:!?()\[\]]+")
_WORD = re.compile(r"[^\W\d_][\w'-]*")


def key_terms(corpus: Corpus, count: int, function_words: frozenset[str]) -> Mapping[str, Terms]:
    """Return the terms of each label that documents carry, best first.

    The weight of term t for label c is n(t, c) · ln(1 + A / n(t)), where n(t, c) counts the label's documents
    that use t, n(t) sums that over labels, and A is the mean number of documents per label. The source counts
    words instead; counting documents keeps one wordy document from speaking for its label.

    Args:
        corpus: A document of several labels counts for each.
        count: Terms wanted per label, at least 1.
        function_words: Words, lower-case, that no term may hold.

    Returns:
        At most `count` words and pairs of adjacent words for each label; a label has none where all its
        documents' words are function words. Terms of one document, or of more than half of all, come last.

    Source: Grootendorst (2022), arXiv 2203.05794, class-based tf-idf.
    """
    found = [set(_terms(text, function_words)) for text in corpus.texts]
    spread = Counter(term for terms in found for term in terms)
    by_label: dict[str, Counter[str]] = {}
    for document, terms in zip(corpus.documents, found, strict=True):
        for label in document.labels:
            by_label.setdefault(label, Counter()).update(terms)
    total: Counter[str] = Counter()
    for counts in by_label.values():
        total.update(counts)
    mean = sum(len(document.labels) for document in corpus.documents) / len(by_label)
    telling = {t for t, n in spread.items() if LEAST_DOCUMENTS <= n <= COMMON_SHARE * len(corpus)}

    def rank(counts: Counter[str], term: str) -> tuple[bool, float, str]:
        return term not in telling, -counts[term] * math.log1p(mean / total[term]), term

    return {
        label: tuple(sorted(counts, key=partial(rank, counts))[:count]) for label, counts in by_label.items()
    }


def _terms(text: str, function_words: frozenset[str]) -> Iterator[str]:
    for clause in _CLAUSE.split(text.lower()):
        words = [
            word if len(word) >= SHORTEST and word not in function_words else ""
            for word in _WORD.findall(clause)
        ]
        yield from filter(None, words)
        yield from (f"{left} {right}" for left, right in pairwise(words) if left and right)
