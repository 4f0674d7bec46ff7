"""Documents of the simulated world said again."""

from typing import Any

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.texts import normalised
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.simulation.phrasing import load_wording
from services.generator.simulation.rewording import load_finder, term_finder
from services.generator.simulation.taxonomy import LabelEntry, Taxonomy, load_taxonomy

TASK = load_taxonomy().task()


def real(count: int = 60) -> Corpus:
    writer = BACKENDS.get("simulator").prepare(TASK, None, {}, 8)
    assert writer.label_law is not None
    requests = [WriteRequest(i, 8, writer.label_law(i) or (), own_labels=True) for i in range(count)]
    written = list(writer.write(requests))
    return Corpus(
        TASK, tuple(Document(f"r{c.index}", c.text, c.labels, f"f{c.relative}", c.genre) for c in written)
    )


REAL = real()


def rewrite(times: int = 2, **parameters: Any) -> list[tuple[Document, Candidate]]:
    writer = BACKENDS.get("simulator").prepare(TASK, REAL, parameters, 3)
    sources = REAL.documents * times
    requests = [WriteRequest(i, 3, source.labels, source=source) for i, source in enumerate(sources)]
    return list(zip(sources, writer.write(requests), strict=True))


def kept_share(pairs: list[tuple[Document, Candidate]]) -> float:
    """Return the share of the sources' own terms that their paraphrases mention, whatever the synonym."""
    shares = []
    for source, candidate in pairs:
        said = set(load_finder().found(candidate.text))
        own = [term for term in load_finder().found(source.text) if term.label is not None]
        shares += [term in said for term in own]
    return float(np.mean(shares))


def test_terms_are_found_longest_first_whatever_the_synonym_and_the_case() -> None:
    entry = LabelEntry("Canes", "d", 1, (("walking stick", "cane"), ("stick",)), ())
    finder = term_finder(Taxonomy("t", (entry,), {"d": (("grip",),)}))
    found = finder.found("Cane with a grip, a walking stick and a STICK; no canes")
    assert [(term.synonyms[0], term.label) for term in found] == [
        ("walking stick", 0),
        ("grip", None),
        ("stick", 0),
    ]


def test_paraphrase_says_what_its_source_says_in_other_words() -> None:
    pairs = rewrite()
    assert kept_share(pairs) > 0.9
    assert not [c for source, c in pairs if normalised(c.text) == normalised(source.text)]
    assert all(c.labels == source.labels for source, c in pairs)


def test_second_paraphrase_of_a_source_is_another_one() -> None:
    texts = [c.text for _, c in rewrite(2)]
    half = len(texts) // 2
    assert np.mean([a != b for a, b in zip(texts[:half], texts[half:], strict=True)]) > 0.95


@pytest.mark.parametrize(
    ("dial", "values"),
    [
        ("vocabulary_fidelity", (0.0, 0.5, 1.0)),
        ("labels_added", (1.0, 0.5, 0.0)),
        ("independent_text", (1.0, 0.5, 0.0)),
    ],
)
def test_dial_moves_how_much_of_the_source_is_kept(dial: str, values: tuple[float, ...]) -> None:
    settings: list[dict[str, Any]] = [{dial: value} for value in values]
    shares = [kept_share(rewrite(1, **setting)) for setting in settings]
    assert shares[0] + 0.2 < shares[1] < shares[2] - 0.2


def test_genre_is_the_wanted_one_the_sources_or_a_foreign_one() -> None:
    assert all(c.genre == source.genre for source, c in rewrite())
    assert {c.genre for _, c in rewrite(genre_drift=1.0)} <= set(load_wording().foreign)
    writer = BACKENDS.get("simulator").prepare(TASK, REAL, {}, 3)
    source = REAL.documents[0]
    (wanted,) = writer.write([WriteRequest(0, 3, source.labels, genre="news", source=source)])
    assert wanted.genre == "news"


def test_copier_repeats_its_source_but_for_noise() -> None:
    assert all(c.text == source.text for source, c in rewrite(copy_rate=1.0))


def test_text_of_another_world_fails_and_says_which() -> None:
    writer = BACKENDS.get("simulator").prepare(TASK, REAL, {}, 3)
    stranger = Document("s9", "Zzz and nothing else.", TASK.labels[:1], "s9")
    (candidate,) = writer.write([WriteRequest(0, 3, stranger.labels, source=stranger)])
    assert candidate.failure == "no_terms" and "s9" in candidate.detail


def test_resampler_refuses_to_rewrite() -> None:
    with pytest.raises(InvalidInputError) as error:
        rewrite(preset="exact_null")
    assert error.value.field == "strategy"
