"""One text with its labels, and where it came from."""

from dataclasses import dataclass

from services.domain.task import LabelSet


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a synthetic document came to be.

    `requested_labels` are those the writer was asked for; a document's own
    labels may differ where the backend carries its own. `sampling_json` holds the
    backend's parameters. Token counts are 0 where a backend has no tokens.
    """

    generator: str
    backend: str
    model_revision: str = ""
    strategy: str = "label_conditioned"
    prompt_family: str = ""
    prompt_digest: str = ""
    exemplar_ids: tuple[str, ...] = ()
    source_id: str = ""
    requested_labels: LabelSet = ()
    seed: int = 0
    sampling_json: str = "{}"
    tokens_in: int = 0
    tokens_out: int = 0
    attempt: int = 1
    raw_text: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text, its labels and its family.

    Documents of one family (a patent family, duplicates, a source and what was
    written from it) never stand on both sides of a split or a fold. A synthetic
    document belongs to the family of its source; without one, to its own.
    """

    id: str
    text: str
    labels: LabelSet
    family: str
    genre: str = ""
    provenance: Provenance | None = None

    @property
    def synthetic(self) -> bool:
        return self.provenance is not None
