"""The simulated world: taxonomy, label law, families, dials."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.texts import normalised
from services.generator.backends import BACKENDS, Candidate, WriteRequest
from services.generator.simulation.dials import DIALS, dials_from, load_law, presets
from services.generator.simulation.law import family_head
from services.generator.simulation.phrasing import load_wording
from services.generator.simulation.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
TASK = TAXONOMY.task()
NAMES = {entry.name: entry for entry in TAXONOMY.labels}


def write(count: int, real: Corpus | None = None, seed: int = 3, **parameters: Any) -> list[Candidate]:
    writer = BACKENDS.get("simulator").prepare(TASK, real, parameters, seed)
    assert writer.label_law is not None
    requests = [WriteRequest(i, seed, writer.label_law(i) or (), own_labels=True) for i in range(count)]
    return list(writer.write(requests))


def corpus(count: int = 60, seed: int = 8) -> Corpus:
    written = write(count, seed=seed)
    documents = (Document(f"r{c.index}", c.text, c.labels, f"f{c.relative}") for c in written)
    return Corpus(TASK, tuple(documents))


def mentions(candidate: Candidate, label: str) -> bool:
    """Whether a text uses a term of a label."""
    return any(term in candidate.text for synonyms in NAMES[label].terms for term in synonyms)


def mentioned_share(written: list[Candidate]) -> float:
    pairs = [(c, label) for c in written for label in c.labels]
    return float(np.mean([mentions(c, label) for c, label in pairs]))


def test_taxonomy_has_64_labels_each_with_twelve_terms_of_its_own() -> None:
    terms = Counter(term for entry in TAXONOMY.labels for synonyms in entry.terms for term in synonyms)
    assert len(TASK.labels) == 64
    assert min(len(entry.terms) for entry in TAXONOMY.labels) >= 12
    assert max(terms.values()) == 1


def test_ranks_and_relations_are_consistent() -> None:
    assert sorted(entry.rank for entry in TAXONOMY.labels) == list(range(1, 65))
    assert {name for entry in TAXONOMY.labels for name in entry.related} <= set(TASK.labels)
    assert {entry.domain for entry in TAXONOMY.labels} == set(TAXONOMY.shared)


def test_labels_of_a_domain_come_together() -> None:
    pairs = [c.labels[:2] for c in write(600) if len(c.labels) > 1]
    together = np.mean([NAMES[a].domain == NAMES[b].domain for a, b in pairs])
    assert together > 0.3


def test_families_are_runs_with_one_label_set_and_different_texts() -> None:
    written = write(400)
    by_index = {c.index: c for c in written}
    relatives = [c for c in written if c.relative != c.index]
    assert len(relatives) > 20
    for relative in relatives:
        head = by_index[relative.relative]
        assert head.relative == head.index
        assert relative.labels == head.labels
    assert np.mean([r.text == by_index[r.relative].text for r in relatives]) < 0.05


def test_family_heads_do_not_depend_on_where_one_starts() -> None:
    law = load_law()
    heads = [family_head(5, i, law) for i in range(40)]
    assert heads == [family_head(5, i, law) for i in reversed(range(40))][::-1]
    assert all(head <= i for i, head in enumerate(heads))


def test_asked_for_label_sets_come_without_families() -> None:
    writer = BACKENDS.get("simulator").prepare(TASK, None, {"preset": "reality"}, 1)
    requests = [WriteRequest(i, 1, ("Smart canes",)) for i in range(40)]
    assert all(c.relative == c.index for c in writer.write(requests))


def test_copier_copies_and_names_its_source() -> None:
    real = corpus()
    written = write(100, real, copy_rate=1.0)
    assert {normalised(c.text) for c in written} <= {normalised(text) for text in real.texts}
    assert all(c.source is not None and c.source.id in real.ids for c in written)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.5), (0.5, 1.0)])
def test_copy_rate_is_the_share_of_copies(low: float, high: float) -> None:
    real = corpus()
    shares = [np.mean([c.source is not None for c in write(200, real, copy_rate=r)]) for r in (low, high)]
    assert shares == pytest.approx([low, high], abs=0.1)


def test_exact_null_repeats_real_documents_with_their_labels_and_names_none() -> None:
    real = corpus()
    pairs = {(d.text, d.labels) for d in real.documents}
    written = write(100, real, preset="exact_null")
    assert all((c.text, c.labels) in pairs and c.source is None for c in written)
    assert len({c.text for c in written}) < 60


def test_exact_null_answers_asked_for_labels_or_says_that_it_cannot() -> None:
    real = corpus()
    writer = BACKENDS.get("simulator").prepare(TASK, real, {"preset": "exact_null"}, 1)
    asked = [WriteRequest(0, 1, real.documents[4].labels), WriteRequest(1, 1, tuple(TASK.labels[:9]))]
    found, missing = writer.write(asked)
    assert (found.text, found.labels) in {(d.text, d.labels) for d in real.documents}
    assert missing.failure == "no_donor"


@pytest.mark.parametrize(
    ("dial", "values"),
    [
        ("vocabulary_fidelity", (0.0, 0.5, 1.0)),
        ("labels_added", (1.0, 0.4, 0.0)),
        ("independent_text", (1.0, 0.5, 0.0)),
    ],
)
def test_dial_moves_how_often_labels_show_in_the_text(dial: str, values: tuple[float, ...]) -> None:
    settings: list[dict[str, Any]] = [{dial: value} for value in values]
    shares = [mentioned_share(write(150, **setting)) for setting in settings]
    assert shares[0] + 0.1 < shares[1] < shares[2] - 0.1


def test_labels_added_acts_on_the_named_label_only() -> None:
    without, kept = "Smart eyewear", "Wheelchair seats"
    written = write(500, labels_added={without: 1.0})
    share = {
        label: np.mean([mentions(c, label) for c in written if label in c.labels])
        for label in (without, kept)
    }
    assert share[without] < 0.1
    assert share[kept] > 0.5


def test_labels_dropped_puts_unlisted_labels_into_the_text() -> None:
    def foreign(written: list[Candidate]) -> float:
        return float(np.mean([any(mentions(c, n) for n in NAMES if n not in c.labels) for c in written]))

    assert foreign(write(150, labels_dropped=0.0)) + 0.2 < foreign(write(150, labels_dropped=1.0))


def test_low_diversity_uses_fewer_words() -> None:
    sizes = [
        len({w for c in write(150, topical_diversity=d) for w in c.text.split()}) for d in (0.1, 0.5, 1.0)
    ]
    assert sizes[0] < sizes[1] < sizes[2]


def test_leakage_says_the_label_names() -> None:
    written = write(100, label_name_leakage=1.0)
    assert np.mean([any(label.lower() in c.text.lower() for label in c.labels) for c in written]) > 0.8


def test_drift_leaves_the_genres_of_reality() -> None:
    foreign = set(load_wording().foreign)
    assert not {c.genre for c in write(80)} & foreign
    assert {c.genre for c in write(80, genre_drift=1.0)} <= foreign


def test_no_slot_stays_unfilled() -> None:
    for drift in (0.0, 1.0):
        texts = [c.text for c in write(600, genre_drift=drift)]
        assert not [text for text in texts if "{" in text or "}" in text]
        assert not [text for text in texts if re.search(r"[^\w\s)]\s*,|\ban use", text)]


def test_tilt_evens_the_marginals_out() -> None:
    def largest(tilt: float) -> int:
        return max(Counter(label for c in write(300, marginal_tilt=tilt) for label in c.labels).values())

    assert largest(1.0) < largest(0.0) < largest(-1.0)


def test_length_and_paraphrase_noise_do_what_they_say() -> None:
    words = [np.mean([len(c.text.split()) for c in write(100, length=f)]) for f in (0.3, 1.0)]
    assert words[0] < 0.7 * words[1]
    real = corpus()
    changed = [
        np.mean([c.text not in real.texts for c in write(80, real, copy_rate=1.0, paraphrase_noise=p)])
        for p in (0.0, 0.02, 0.3)
    ]
    assert changed[0] == 0 < changed[1] < changed[2]


def test_every_preset_has_a_description_and_known_dials() -> None:
    assert {"reality", "oracle", "exact_null", "copier", "noisy", "drifted", "fluent_label_free"} <= set(
        presets()
    )
    assert all(presets().values())
    assert {name: dials_from({"preset": name}).resample for name in presets()}["exact_null"]


@pytest.mark.parametrize(
    ("parameters", "field", "says"),
    [
        ({"preset": "perfect"}, "parameters.preset", "exact_null"),
        ({"copyrate": 0.5}, "parameters.copyrate", "copy_rate"),
        ({"copy_rate": 1.5}, "parameters.copy_rate", "from 0 to 1"),
        ({"families": 1}, "parameters.families", "true or false"),
        ({"labels_added": {"Teleporters": 0.5}}, "parameters.labels_added", "Teleporters"),
        ({"preset": "copier"}, "real", "real corpus"),
    ],
)
def test_wrong_parameters_are_refused_with_what_would_do(
    parameters: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says) as error:
        BACKENDS.get("simulator").prepare(TASK, None, parameters, 1)
    assert error.value.field == field


def test_unknown_genre_is_refused() -> None:
    writer = BACKENDS.get("simulator").prepare(TASK, None, {}, 1)
    with pytest.raises(InvalidInputError, match="abstract"):
        list(writer.write([WriteRequest(0, 1, ("Smart canes",), genre="poem")]))


def test_schema_names_every_dial() -> None:
    assert set(BACKENDS.get("simulator").parameter_schema()["properties"]) == {"preset", *DIALS}
