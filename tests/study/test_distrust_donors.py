"""A held-out document takes along all that was made of it, whatever family that stands in."""

from dataclasses import replace

import numpy as np

from services.classifier.training import train
from services.domain.corpus import Corpus
from services.domain.document import Document, Provenance
from services.storage.store import Store
from tests.unit.classifier.separable import MULTI, plan, separable_corpus, separable_spec, whole

COUNT = 60


def made_of(real: Corpus, *, own_families: bool) -> Corpus:
    """Return a document made of each real one; `recombine` names its donors as exemplars, in a family of its own."""
    return Corpus(
        MULTI,
        tuple(
            Document(
                f"made-{d.id}",
                f"{d.text} anew",
                d.labels,
                f"made-{i}" if own_families else d.family,
                provenance=Provenance("g", "recombine", exemplar_ids=(d.id,)),
            )
            for i, d in enumerate(real.documents)
        ),
    )


def test_rows_made_of_a_held_out_document_are_held_out_too(store: Store) -> None:
    real = separable_corpus(MULTI, COUNT, "real")
    pool = store.put_corpus(real)
    found = []
    for own in (True, False):
        made = store.put_corpus(made_of(real, own_families=own))
        spec = replace(
            separable_spec(store, MULTI, "tfidf_linear"),
            segments=(pool, made),
            plans=(plan(whole(pool), whole(made, scored=False)),),
        )
        (result,) = train({"store": str(store.root), "spec": spec}, lambda _: None)["results"]
        found.append(store.get_arrays(result)[0]["oof_scores"])
    assert np.abs(found[0] - found[1]).max() < 1e-6
