"""The leakage audit over the wire: what was planted is counted, listed and filed, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from services.domain.artifact import ArtifactRef
from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError, NotFoundError, PreconditionError, StudyError
from services.evaluator.client import EvaluatorClient
from services.evaluator.leakage import (
    EMBEDDING_NEIGHBOUR,
    EQUAL_TEXT,
    KINDS,
    NEAR_DUPLICATE,
    SHARED_FAMILY,
    Audited,
    Pair,
)
from services.evaluator.leakage.audit import audit_leakage
from services.evaluator.leakage.planning import (
    LISTED_EACH,
    MOST_CORPORA,
    MOST_LISTED,
    AuditedCorpus,
    LeakageSpec,
    listed_pairs,
)
from services.evaluator.planning import Progress
from services.evaluator.service import register
from services.features.store import embed_corpora
from services.storage.store import Store
from tests.integration.planted_leaks import CORPORA, REAL_COUNT, TASK, VECTORS


@dataclass(frozen=True)
class Wire:
    """A store with planted leaks, and a client of a service over it."""

    store: Store
    client: EvaluatorClient
    spec: LeakageSpec

    def with_part(self, i: int, **changes: object) -> LeakageSpec:
        parts = list(self.spec.corpora)
        parts[i] = replace(parts[i], **changes)  # type: ignore[arg-type]
        return replace(self.spec, corpora=tuple(parts))

    def vectors(self, rows: np.ndarray, **metadata: str) -> ArtifactRef:
        return self.store.put_arrays({"embeddings": rows}, metadata)


@pytest.fixture
def wire(service_address: Callable[..., str], store: Store) -> Wire:
    parts = []
    for name, corpus in CORPORA.items():
        stored = store.put_corpus(corpus)
        metadata = {"encoder": "planted/1", "corpus": stored.sha256}
        parts.append(AuditedCorpus(name, stored, store.put_arrays({"embeddings": VECTORS[name]}, metadata)))
    return Wire(store, EvaluatorClient(service_address(register)), LeakageSpec(tuple(parts)))


def test_each_planted_leak_is_found_where_it_was_planted_and_nowhere_else(wire: Wire) -> None:
    report = wire.client.audit_leakage(wire.spec)
    found = {
        (f.left, f.right, f.kind): [(p.left, p.right) for p in f.pairs] for f in report.findings if f.pairs
    }
    assert found == {
        ("real", "synthetic", EQUAL_TEXT): [("r3", "s4")],
        ("real", "synthetic", NEAR_DUPLICATE): [("r8", "s5")],
        ("real", "test", EMBEDDING_NEIGHBOUR): [("r31", "t7")],
        ("real", "test", SHARED_FAMILY): [("r20", "t9")],
        ("synthetic", "test", SHARED_FAMILY): [("s6", "t2")],
    }
    assert len(report.findings) == 3 * len(KINDS)


def test_findings_carry_their_counts_and_the_threshold_that_was_used(wire: Wire) -> None:
    report = wire.client.audit_leakage(wire.spec)
    near = report.find("real", "synthetic", NEAR_DUPLICATE)
    # 15 shingles, and one more.
    assert near.pairs == (Pair("r8", "s5", 15 / 16),)
    assert (near.left_count, near.right_count, near.threshold) == (REAL_COUNT, 30, 0.6)
    neighbours = report.find("real", "test", EMBEDDING_NEIGHBOUR)
    assert report.calibration is not None
    assert (report.calibration.corpus, report.calibration.document_count) == ("real", REAL_COUNT)
    assert (report.calibration.quantile, neighbours.threshold) == (0.999, report.calibration.threshold)
    assert neighbours.pairs[0].similarity > report.calibration.threshold
    nothing = report.find("synthetic", "test", EQUAL_TEXT)
    assert (nothing.pair_count, nothing.left_found, nothing.threshold) == (0, 0, None)


def test_the_wire_answers_what_the_core_does(wire: Wire) -> None:
    report = wire.client.audit_leakage(replace(wire.spec, quantile=0.5, maximum_pairs=1000))
    parts = [Audited(name, corpus, VECTORS[name]) for name, corpus in CORPORA.items()]
    audit = audit_leakage(parts, quantile=0.5)
    assert report.calibration is not None and audit.calibration is not None
    assert report.calibration.threshold == audit.calibration.threshold
    for one, other in zip(report.findings, audit.findings, strict=True):
        assert (one.left, one.right, one.kind) == (other.left, other.right, other.kind)
        assert (one.pair_count, one.left_found, one.right_found) == (
            other.pair_count,
            other.left_found,
            other.right_found,
        )
        assert one.pairs == other.pairs


def test_pairs_are_capped_and_counts_are_not(wire: Wire) -> None:
    copies = Corpus(TASK, tuple(Document(f"c{i}", "the same words", ("a",), f"c{i}") for i in range(30)))
    more = Corpus(TASK, tuple(Document(f"m{i}", "The same words!", ("a",), f"m{i}") for i in range(20)))
    spec = LeakageSpec((AuditedCorpus("copies", copies), AuditedCorpus("more", more)))
    found = wire.client.audit_leakage(spec).find("copies", "more", EQUAL_TEXT)
    assert (found.pair_count, found.left_found, found.right_found) == (600, 30, 20)
    assert len(found.pairs) == LISTED_EACH
    report = wire.client.audit_leakage(replace(spec, maximum_pairs=7))
    few = report.find("copies", "more", EQUAL_TEXT)
    assert (few.pair_count, few.pairs, report.maximum_pairs) == (600, found.pairs[:7], 7)


def test_missing_embeddings_are_made_and_filed_where_embed_would_look(wire: Wire) -> None:
    steps: list[Progress] = []
    real = wire.spec.corpora[0].corpus
    assert isinstance(real, ArtifactRef)
    parts = tuple(replace(part, embeddings=None) for part in wire.spec.corpora)
    spec = replace(wire.spec, corpora=parts, encoder="lsa", fit_on=real)
    made = wire.client.audit_leakage(spec, steps.append)
    assert made.calibration is not None
    assert {step.activity for step in steps} >= {"pairs of corpora compared"}
    stored = [one.corpus for one in parts if isinstance(one.corpus, ArtifactRef)]
    references = embed_corpora(wire.store, stored, "lsa", real)
    given = (replace(one, embeddings=r) for one, r in zip(parts, references, strict=True))
    assert wire.client.audit_leakage(LeakageSpec(tuple(given))) == made


def test_without_embeddings_and_encoder_neighbours_are_undefined_and_not_zero(wire: Wire) -> None:
    report = wire.client.audit_leakage(wire.with_part(2, embeddings=None))
    found = report.find("real", "test", EMBEDDING_NEIGHBOUR)
    assert (found.pair_count, found.left_found, found.threshold) == (None, None, None)
    assert found.undefined_reason == "corpus 'test' came without embeddings"
    assert report.find("real", "synthetic", EMBEDDING_NEIGHBOUR).pair_count == 0


def test_texts_alone_need_no_corpus_called_real(wire: Wire) -> None:
    parts = (AuditedCorpus("train", CORPORA["real"]), AuditedCorpus("test", CORPORA["test"]))
    report = wire.client.audit_leakage(LeakageSpec(parts))
    assert report.calibration is None
    assert report.find("train", "test", SHARED_FAMILY).pair_count == 1
    assert "no corpus is named 'real'" in report.find("train", "test", EMBEDDING_NEIGHBOUR).undefined_reason


def test_an_audit_is_filed_once_and_found_again(wire: Wire) -> None:
    steps: list[Progress] = []
    first = wire.client.audit_leakage(wire.spec, steps.append)
    assert steps
    steps.clear()
    inline = wire.with_part(1, corpus=CORPORA["synthetic"])
    assert wire.client.audit_leakage(inline, steps.append) == first
    assert steps == []


def test_a_message_never_lists_more_than_it_holds() -> None:
    for count in range(2, MOST_CORPORA + 1):
        findings = len(KINDS) * count * (count - 1) // 2
        assert 0 < listed_pairs(0, count) * findings <= MOST_LISTED
    with pytest.raises(InvalidInputError, match="up to 6 pairs each"):
        listed_pairs(7, MOST_CORPORA)


def _bad(wire: Wire) -> dict[str, tuple[LeakageSpec, type[StudyError], str, str]]:
    """Return per bad input: the request, the error, its field and what the message says."""
    spec, invalid = wire.spec, InvalidInputError
    real, _, test = spec.corpora
    nan = VECTORS["test"].copy()
    nan[3, 1] = np.nan
    short = wire.vectors(VECTORS["test"][:5])
    other = wire.vectors(VECTORS["test"], encoder="other/2")
    narrow = wire.vectors(VECTORS["test"][:, :7])
    bare = replace(spec, corpora=tuple(replace(part, embeddings=None) for part in spec.corpora))
    return {
        "one corpus": (replace(spec, corpora=(real,)), invalid, "corpora", "there are 1"),
        "none": (LeakageSpec(()), invalid, "corpora", "there are 0"),
        "too many": (
            LeakageSpec(tuple(replace(test, name=f"part{i}") for i in range(MOST_CORPORA + 1))),
            invalid,
            "corpora",
            "at most 40",
        ),
        "one name twice": (wire.with_part(2, name="real"), invalid, "corpora[2].name", "'real' is none"),
        "no name": (wire.with_part(1, name=""), invalid, "corpora[1].name", "a name of its own"),
        "unknown calibration": (
            replace(spec, calibrated_on="held out"),
            invalid,
            "calibrated_on",
            "there are: real, synthetic, test",
        ),
        "embeddings, and nothing is real": (
            wire.with_part(0, name="train"),
            invalid,
            "calibrated_on",
            "no corpus is named 'real'",
        ),
        "quantile of 0": (replace(spec, quantile=0.0), invalid, "quantile", "between 0 and 1"),
        "quantile of 1": (replace(spec, quantile=1.0), invalid, "quantile", "not at 1.0"),
        "no quantile at all": (replace(spec, quantile=float("nan")), invalid, "quantile", "not at nan"),
        "too many pairs": (
            replace(spec, maximum_pairs=2000),
            invalid,
            "maximum_pairs",
            "12 findings, of which up to 1666",
        ),
        "fewer than no pairs": (replace(spec, maximum_pairs=-1), invalid, "maximum_pairs", "not -1"),
        "embeddings of another corpus": (
            wire.with_part(1, embeddings=real.embeddings),
            invalid,
            "corpora[1].embeddings",
            "made for corpus",
        ),
        "embeddings of other rows": (
            wire.with_part(2, embeddings=short),
            invalid,
            "corpora[2].embeddings",
            "5 embeddings for 20",
        ),
        "embeddings of another encoder": (
            wire.with_part(2, embeddings=other),
            PreconditionError,
            "corpora[2].embeddings",
            "two encoders",
        ),
        "embeddings of other dimensions": (
            wire.with_part(2, embeddings=narrow),
            invalid,
            "corpora[2].embeddings",
            "7 dimensions",
        ),
        "nan in an embedding": (
            wire.with_part(2, embeddings=wire.vectors(nan)),
            invalid,
            "corpora[2].embeddings[3]",
            "first in row 3",
        ),
        "a corpus for embeddings": (
            wire.with_part(2, embeddings=test.corpus),
            invalid,
            "corpora[2].embeddings",
            "holds no arrays",
        ),
        "embeddings for a corpus": (
            wire.with_part(2, corpus=test.embeddings),
            invalid,
            "corpora[2].corpus",
            "holds no corpus",
        ),
        "training texts and no encoder": (
            replace(bare, fit_on=real.corpus),
            invalid,
            "fit_on",
            "none is named",
        ),
        "a fitted encoder without texts": (replace(bare, encoder="lsa"), invalid, "fit_on", "give fit_on"),
        "unknown encoder": (replace(bare, encoder="bag"), NotFoundError, "", "lsa"),
        "no such artifact": (
            wire.with_part(1, corpus=ArtifactRef.stored("0" * 64), embeddings=None),
            NotFoundError,
            "",
            "",
        ),
    }


def test_every_bad_input_names_its_field_and_says_what_would_do(wire: Wire) -> None:
    for name, (spec, kind, field, words) in _bad(wire).items():
        with pytest.raises(StudyError) as caught:
            wire.client.audit_leakage(spec)
        assert type(caught.value) is kind, (name, caught.value)
        assert field in ("", caught.value.metadata.get("field")), (name, caught.value.metadata)
        assert words in caught.value.message, (name, caught.value.message)
