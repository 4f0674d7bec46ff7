"""Which real document each paraphrase is written from."""

from collections.abc import Callable

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.seeds import stream
from services.generator.planning import GenerationSpec

DealSource = Callable[[int], Document]


def source_dealer(spec: GenerationSpec, real: Corpus | None) -> DealSource:
    """Return the function from a candidate's index to its source.

    The real documents are put in a seeded order and dealt round by round: of n documents, candidate i
    rewrites number i mod n of the order for the (i div n + 1)-th time. Any k·n consecutive candidates
    hold k of every source, so a corpus of ×k paraphrases begins with that of ×1.

    Raises:
        InvalidInputError: There are no real documents, or label sets come from elsewhere than they do.
    """
    if real is None:
        raise InvalidInputError("a paraphrase rewrites real documents: name a real corpus", field="real")
    if spec.label_source != "empirical":
        raise InvalidInputError(
            f"a paraphrase keeps its source's labels: use label source 'empirical', not {spec.label_source!r}",
            field="label_source",
        )
    order = stream(spec.seed, "source_order").permutation(len(real))
    sources = tuple(real.documents[int(row)] for row in order)
    return lambda index: sources[index % len(sources)]
