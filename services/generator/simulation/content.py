"""What documents talk about: the terms that stand for a label set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.generator.simulation.dials import Dials, Law, at
from services.generator.simulation.draws import Cumulative, cumulative, happens, one_of, pick
from services.generator.simulation.law import LabelLaw
from services.generator.simulation.taxonomy import Phrases, Taxonomy


@dataclass(frozen=True)
class Vocabulary:
    """Terms and how often they are used, under one setting of the dials."""

    taxonomy: Taxonomy
    law: Law
    dials: Dials
    label_law: LabelLaw
    own_share: float
    usage: tuple[Cumulative, ...]
    shared_usage: dict[str, Cumulative]
    siblings: tuple[tuple[int, ...], ...]


def vocabulary(taxonomy: Taxonomy, law: Law, dials: Dials, labels: LabelLaw) -> Vocabulary:
    """Return the vocabulary of a simulated generator."""
    siblings = tuple(
        tuple(j for j, other in enumerate(taxonomy.labels) if other.domain == entry.domain and other != entry)
        for entry in taxonomy.labels
    )
    usage = tuple(_usage(entry.terms, law, dials.topical_diversity) for entry in taxonomy.labels)
    shared = {
        domain: _usage(terms, law, dials.topical_diversity) for domain, terms in taxonomy.shared.items()
    }
    own = law.own * dials.vocabulary_fidelity
    return Vocabulary(taxonomy, law, dials, labels, own, usage, shared, siblings)


def mentioned_labels(words: Vocabulary, labels: Sequence[int], rng: np.random.Generator) -> tuple[int, ...]:
    """Return the labels a text is about: the listed ones, without some and with others; maybe none."""
    dials, entries = words.dials, words.taxonomy.labels
    kept = [
        label
        for label in labels
        if not happens(words.law.unmentioned + at(dials.labels_added, entries[label].name), rng)
    ]
    extra = [pick(words.label_law.companions[label], rng) for label in labels]
    extra = [j for j in extra if happens(at(dials.labels_dropped, entries[j].name), rng) and j not in labels]
    return tuple(dict.fromkeys(kept + extra))


def draw_terms(
    words: Vocabulary, mentioned: Sequence[int], domain: str, rng: np.random.Generator
) -> list[str]:
    """Return the terms of a text in random order; each mentioned label has its turn.

    Args:
        words: The vocabulary.
        mentioned: The labels the text is about; when empty, only shared terms remain.
        domain: Where the shared terms come from when no label is mentioned.
        rng: The document's stream.
    """
    wanted = max(1, round((3 + pick(cumulative(words.law.terms), rng)) * words.dials.length))
    order = [mentioned[i] for i in rng.permutation(len(mentioned))]
    terms = [
        draw_term(words, order[place % len(order)], rng) if order else _shared(words, domain, rng)
        for place in range(wanted)
    ]
    return list(dict.fromkeys(terms))


def draw_term(words: Vocabulary, label: int, rng: np.random.Generator) -> str:
    """Return one term for a label: its own, a sibling's, its domain's, or its name."""
    entry = words.taxonomy.labels[label]
    if happens(words.dials.label_name_leakage, rng):
        return entry.name.lower()
    level = rng.random()
    if level < words.own_share:
        return _own(words, label, rng)
    if level < words.own_share + words.law.sibling:
        return _own(words, one_of(words.siblings[label], rng), rng)
    return _shared(words, entry.domain, rng)


def _own(words: Vocabulary, label: int, rng: np.random.Generator) -> str:
    return one_of(words.taxonomy.labels[label].terms[pick(words.usage[label], rng)], rng)


def _shared(words: Vocabulary, domain: str, rng: np.random.Generator) -> str:
    return one_of(words.taxonomy.shared[domain][pick(words.shared_usage[domain], rng)], rng)


def _usage(terms: Phrases, law: Law, diversity: float) -> Cumulative:
    in_use = max(1, round(len(terms) * diversity))
    return cumulative(1 / place**law.term_exponent for place in range(1, in_use + 1))
