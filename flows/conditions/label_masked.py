"""Synthetic documents that never say the name of a label: does the gain live on the names?"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flows.conditions import CONDITIONS, Composition, Role, Scene, added_part, single_stage
from services.domain.corpus import Corpus

# Only where nothing else was said: a word that real texts lack would mark synthetic ones.
EMPTY = "something"


class LabelMasked:
    """Every label's name is left out, in any case, with or without -s or -es at its end.

    Other plurals, such as "prostheses" of "prosthesis", are not recognised.
    """

    version = "2"
    role: Role = "treatment"
    needs_synthetic = True

    def compose(self, scene: Scene, rng: np.random.Generator, settings: Mapping[str, Any]) -> Composition:
        written = scene.written().corpus
        names = names_pattern(written.task.labels)
        documents = written.documents[: scene.count]
        masked = tuple(replace(d, text=_without(names, d.text)) for d in documents)
        changed = sum(a.text != b.text for a, b in zip(masked, documents, strict=True))
        part = added_part(scene.keep(Corpus(written.task, masked)), scene.count)
        return Composition(single_stage(scene.regime_part(), part), {"masked_share": changed / scene.count})


def _without(names: re.Pattern[str], text: str) -> str:
    found = names.search(text)
    return " ".join(names.sub(" ", text).split()) or EMPTY if found else text


def names_pattern(labels: Sequence[str]) -> re.Pattern[str]:
    """Return what matches any label's name as whole words, the longest first."""
    stems = sorted({label.removesuffix("s") for label in labels}, key=lambda stem: (-len(stem), stem))
    joined = "|".join(r"[\s_-]+".join(map(re.escape, re.split(r"[\s_-]+", stem))) for stem in stems)
    return re.compile(rf"(?<!\w)(?:{joined})(?:s|es)?(?!\w)", re.IGNORECASE)


CONDITIONS.register("label_masked", LabelMasked())
