"""Which rows every model is trained and tested on, drawn once for all files and readings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flows.auditing.crossfit import split_families, without_families
from flows.auditing.options import AuditOptions
from flows.auditing.replicates import Rows, Split, disjoint_rows, redraw_real, rung_sizes
from services.domain.corpus import Corpus
from services.domain.digest import spec_digest
from services.domain.seeds import stream


@dataclass(frozen=True, slots=True)
class Round:
    """Real rows to train on, and the real rows they are tested on.

    With a test file there is one round and `tested` is empty; cross-fitting has one per fold.
    """

    number: int
    train: Rows
    tested: Rows


@dataclass(frozen=True, slots=True)
class Draw:
    """What one file contributes to one round.

    Attributes:
        allowed: Rows of the file whose source is not tested in this round.
        splits: Per replicate, rows of the real corpus.
        hands: Per replicate, rows of the file, disjoint and of equal number.
    """

    allowed: Rows
    splits: tuple[Split, ...]
    hands: tuple[Rows, ...]


@dataclass(frozen=True, slots=True)
class FileDraws:
    """What one file contributes to all rounds, cut to common sizes.

    Attributes:
        draws: One per round.
        count: Synthetic documents of every replicate (n_syn).
        rungs: New real documents of the ruler's rungs, ascending, without 0.
        kept: Real documents of a replicate, on average.
    """

    draws: tuple[Draw, ...]
    count: int
    rungs: tuple[int, ...]
    kept: int


def plan_rounds(real: Corpus, has_test: bool, options: AuditOptions) -> tuple[Round, ...]:
    """Return one round, or one per fold where the real documents test themselves.

    Raises:
        InvalidInputError: There are fewer families than folds.
    """
    if has_test:
        rows = np.arange(len(real), dtype=np.int64)
        return (Round(0, rows, np.empty(0, dtype=np.int64)),)
    folds = split_families(real.families, options.folds, stream(options.seed, "audit", "folds"))
    return tuple(Round(number, fold.train, fold.test) for number, fold in enumerate(folds))


def draw_file(synthetic: Corpus, real: Corpus, rounds: Sequence[Round], options: AuditOptions) -> FileDraws:
    """Draw a file's replicates in every round."""
    draws = tuple(_draw(synthetic, real, one, options) for one in rounds)
    count = min(len(hand) for draw in draws for hand in draw.hands)
    left_out = min(len(split.left_out) for draw in draws for split in draw.splits)
    kept = np.mean([len(split.kept) for draw in draws for split in draw.splits])
    return FileDraws(draws, count, rung_sizes(count, left_out), round(float(kept)))


def _draw(synthetic: Corpus, real: Corpus, one: Round, options: AuditOptions) -> Draw:
    barred = {real.families[int(row)] for row in one.tested}
    allowed = without_families(synthetic.families, barred)
    splits = tuple(_split(real, one, replicate, options) for replicate in range(options.replicates))
    # By content: a renamed file is the same file.
    rng = stream(options.seed, "audit", "hands", spec_digest(list(synthetic.texts)), one.number)
    families = [synthetic.families[int(row)] for row in allowed]
    hands = disjoint_rows(families, real.families, splits, rng)
    return Draw(allowed, splits, tuple(allowed[hand] for hand in hands))


def _split(real: Corpus, one: Round, replicate: int, options: AuditOptions) -> Split:
    """Redraw the real documents of a replicate; the same for every file."""
    rng = stream(options.seed, "audit", "real", replicate, one.number)
    families = [real.families[int(row)] for row in one.train]
    split = redraw_real(families, rng)
    return Split(one.train[split.kept], one.train[split.left_out])
