"""Self-BLEU: how much of each document the others have said already."""

import numpy as np

from services.evaluator.fidelity import METRICS, Codes, Doubles, Estimate, Sample
from services.evaluator.fidelity.means import mean_over
from services.evaluator.fidelity.one_by_one import OneByOne
from services.evaluator.fidelity.words import LONGEST, Grams, grams, lengths

# Chen & Cherry's (2014) first smoothing: what is found nowhere counts as a tenth of a run.
UNSEEN = 0.1


class SelfBleu(OneByOne):
    """Mean BLEU-4 of every document against all other documents of the corpus, in (0, 1].

    1 for a corpus of copies. Runs that no other document has count a tenth; a
    document of fewer than four words is judged by the runs it has, and one without
    words is left out. More documents have said more, so values compare at equal n
    only. The interval takes the other documents as given.

    Source: Zhu et al. (2018), SIGIR, on self-BLEU; Papineni et al. (2002), ACL.
    """

    description = (
        "Mean BLEU-4 of each document against all the others of its corpus: 1 for copies. "
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
        spoken = np.flatnonzero(lengths(corpus))
        if len(spoken) < self.minimum_count:
            return Estimate(None, len(spoken), undefined_reason=f"{len(spoken)} documents have words")
        scores = self_bleu(grams(corpus), lengths(corpus))
        return mean_over(scores[spoken], corpus.take(spoken), len(spoken))


def self_bleu(runs: tuple[Grams, ...], counts: Codes) -> Doubles:
    """Return BLEU-4 of each document against all others, shape (n,); 0 for one without words.

    Args:
        runs: Of one to four words.
        counts: Shape (n,), words per document.
    """
    logs, orders = np.zeros(len(counts)), np.zeros(len(counts))
    for n, grams_of_n in enumerate(runs, start=1):
        total = np.maximum(counts - n + 1, 0)
        found = _found_elsewhere(grams_of_n, len(counts))
        precision = np.where(found > 0, found, UNSEEN) / np.maximum(total, 1)
        logs += np.where(total > 0, np.log(precision), 0)
        orders += total > 0
    mean = logs / np.clip(orders, 1, LONGEST)
    return np.where(counts > 0, _brevity(counts) * np.exp(mean), 0)


def _found_elsewhere(runs: Grams, count: int) -> Doubles:
    """Return how many of each document's runs stand in another, at most as often as there."""
    if not len(runs.ids):
        return np.zeros(count)
    keys, often = np.unique(runs.ids * count + runs.documents, return_counts=True)
    ids, documents = np.divmod(keys, count)
    # Of each run the document that has it most often, and after it the next.
    order = np.lexsort((-often, ids))
    ids, documents, often = ids[order], documents[order], often[order]
    first = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    sizes = np.diff(np.r_[first, len(ids)])
    runner_up = np.where(sizes > 1, often[np.minimum(first + 1, len(ids) - 1)], 0)
    elsewhere = np.repeat(often[first], sizes)
    elsewhere[first] = runner_up
    return np.bincount(documents, np.minimum(often, elsewhere), count).astype(np.float64)


def _brevity(counts: Codes) -> Doubles:
    """Return the brevity penalty against the other document nearest in length; the shorter of two."""
    order = np.argsort(counts, kind="stable")
    ascending = counts[order].astype(np.float64)
    # A document without words is nobody's reference; two equal lengths are neighbours.
    before = np.r_[-np.inf, ascending[:-1]]
    before[before == 0] = -np.inf
    after = np.r_[ascending[1:], np.inf]
    nearest = np.where(ascending - before <= after - ascending, before, after)
    penalty = np.empty(len(counts))
    penalty[order] = np.where(nearest > ascending, np.exp(1 - nearest / np.maximum(ascending, 1)), 1.0)
    return penalty


METRICS.register("self_bleu", SelfBleu())
