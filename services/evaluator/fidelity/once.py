"""What several metrics need of the same documents: computed once, and forgotten with them."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from services.evaluator.fidelity import Sample

T = TypeVar("T")


def once(compute: Callable[[Sample], T]) -> Callable[[Sample], T]:
    """Keep what a function returns for a sample as long as the sample lives.

    What it returns must not hold the sample.
    """
    known: WeakKeyDictionary[Sample, T] = WeakKeyDictionary()

    @wraps(compute)
    def remembered(sample: Sample) -> T:
        if sample not in known:
            known[sample] = compute(sample)
        return known[sample]

    return remembered


def once_together(compute: Callable[[Sample, Sample], T]) -> Callable[[Sample, Sample], T]:
    """Keep what a function returns for a pair as long as both of the pair live."""
    known: WeakKeyDictionary[Sample, WeakKeyDictionary[Sample, T]] = WeakKeyDictionary()

    @wraps(compute)
    def remembered(reference: Sample, corpus: Sample) -> T:
        of_reference = known.setdefault(reference, WeakKeyDictionary())
        if corpus not in of_reference:
            of_reference[corpus] = compute(reference, corpus)
        return of_reference[corpus]

    return remembered
