"""Compression ratio: how much of a corpus repeats itself."""

import lzma

from services.evaluator.fidelity import METRICS, Estimate, Sample
from services.evaluator.fidelity.one_by_one import OneByOne

# Raw, so that no header weighs on short corpora; its window of 8 MiB holds whole corpora,
# where that of gzip holds the last few dozen abstracts.
FILTERS = ({"id": lzma.FILTER_LZMA2, "preset": 6},)


class CompressionRatio(OneByOne):
    """Bytes of the texts over bytes of the texts compressed.

    Higher is more redundant, in words and in longer templates. It grows with the
    number of documents and their length, so values compare at equal n only. Texts
    are taken as they are, with a line break between them. There is no interval: it
    is one number of the whole corpus.

    Source: Shaib et al. (2024), arXiv 2403.00553, with LZMA in place of gzip.
    """

    description = (
        "Size of a corpus over its size compressed by LZMA: redundancy. "
        "The floor is that of equally many real documents."
    )
    version = 1
    lower_is_better = True
    minimum_count = 2
    depends_on_count = True
    has_scale = True
    needs = ("texts",)
    weighs = False

    def estimate(self, reference: Sample, corpus: Sample) -> Estimate:
        """Measure a corpus by itself."""
        content = "\n".join(corpus.texts or ()).encode()
        compressed = lzma.compress(content, lzma.FORMAT_RAW, filters=FILTERS)
        return Estimate(len(content) / len(compressed), len(corpus))


METRICS.register("compression_ratio", CompressionRatio())
