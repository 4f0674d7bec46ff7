"""A document of the simulated world said again: its terms found, varied and put into another order."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from services.generator.simulation.content import Vocabulary
from services.generator.simulation.dials import at
from services.generator.simulation.draws import happens, one_of
from services.generator.simulation.taxonomy import Taxonomy, load_taxonomy


@dataclass(frozen=True, slots=True)
class Term:
    """What a text mentions: its synonyms, its label's position (None for a domain's shared term), its domain."""

    synonyms: tuple[str, ...]
    label: int | None
    domain: str


@dataclass(frozen=True)
class TermFinder:
    """Finds the terms of a taxonomy in texts."""

    terms: Mapping[str, Term]
    pattern: re.Pattern[str]

    def found(self, text: str) -> tuple[Term, ...]:
        """Return the terms of a text in the order of their first mention, each once.

        Of terms that overlap the one that begins first counts, and of those the longest.
        """
        mentions = (self.terms[match.group().casefold()] for match in self.pattern.finditer(text))
        return tuple(dict.fromkeys(mentions))


def term_finder(taxonomy: Taxonomy) -> TermFinder:
    """Return the finder of all terms, own and shared; where a term is both it counts as the label's."""
    shared = (
        Term(synonyms, None, domain) for domain, phrases in taxonomy.shared.items() for synonyms in phrases
    )
    own = (
        Term(synonyms, j, entry.domain) for j, entry in enumerate(taxonomy.labels) for synonyms in entry.terms
    )
    terms = {phrase.casefold(): term for term in (*shared, *own) for phrase in term.synonyms}
    longest_first = sorted(terms, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
    return TermFinder(terms, pattern)


@cache
def load_finder() -> TermFinder:
    """Return the finder of the shipped taxonomy."""
    return term_finder(load_taxonomy())


def reworded_terms(words: Vocabulary, found: Sequence[Term], rng: np.random.Generator) -> list[str]:
    """Return terms that say what the found ones say, in random order; none only where none were found.

    Each is one of its synonyms. A shared term of the domain stands in for all terms of a label that is no
    longer mentioned (dial labels_added), and for any own term with probability 1 - vocabulary_fidelity.
    """
    labels = sorted({term.label for term in found if term.label is not None})
    entries, dials = words.taxonomy.labels, words.dials
    unmentioned = {label for label in labels if happens(at(dials.labels_added, entries[label].name), rng)}
    said = []
    for place in rng.permutation(len(found)):
        term = found[int(place)]
        stand_in = one_of(words.taxonomy.shared[term.domain], rng)
        faded = term.label is not None and happens(1 - dials.vocabulary_fidelity, rng)
        said.append(one_of(stand_in if faded or term.label in unmentioned else term.synonyms, rng))
    return list(dict.fromkeys(said))
