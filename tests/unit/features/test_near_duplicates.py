"""Sketches and bands are those of the library that they replace, and a growing corpus is compared once."""

import numpy as np
from datasketch import MinHash, MinHashLSH

from services.features.near_duplicates import BANDS, ROWS, Match, TextIndex, prepare
from services.generator.near_duplicates import repeats

WORDS = np.array([f"w{i}" for i in range(300)])


def texts(count: int, seed: int) -> list[tuple[str, str]]:
    """Thirty-word texts of which most are edits of one of twenty."""
    rng = np.random.default_rng(seed)
    bases = [rng.choice(WORDS, 30) for _ in range(20)]
    found = []
    for i in range(count):
        words = bases[i % 20].copy()
        places = rng.choice(30, rng.integers(0, 6), replace=False)
        words[places] = rng.choice(WORDS, len(places))
        found.append((f"t{seed}-{i}", " ".join(words)))
    return [*found, (f"t{seed}-short", "one word"), (f"t{seed}-none", "...")]


def test_sketches_are_datasketchs() -> None:
    for entry in prepare("g", texts(40, 1)):
        sketch = MinHash(num_perm=BANDS * ROWS)
        sketch.update_batch([shingle.encode() for shingle in entry.shingles])
        assert b"".join(entry.bands) == sketch.hashvalues.tobytes()


def test_what_is_looked_at_is_what_datasketch_looks_at() -> None:
    entries, asked = prepare("known", texts(200, 2)), prepare("asked", texts(200, 2)[::3])
    index, lsh = TextIndex(entries), MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    for i, entry in enumerate(entries):
        lsh.insert(i, _sketch(entry.shingles))
    some = 0
    for entry in asked:
        expected = {entries[i].id for i in lsh.query(_sketch(entry.shingles))}
        near = {
            e.id
            for e in entries
            if len(e.shingles & entry.shingles) >= 0.6 * len(e.shingles | entry.shingles)
        }
        assert {match.id for match in index.matches(entry)} == expected & near
        some += len(expected & near)
    assert some > 150


def test_a_corpus_that_grows_is_screened_as_if_it_came_at_once() -> None:
    known = TextIndex(prepare("real", texts(30, 3)))
    candidates = texts(90, 3)[10:] + texts(40, 4)
    at_once = repeats(candidates, TextIndex(prepare("real", texts(30, 3))))
    for end in (1, 40, 41, len(candidates)):
        assert repeats(candidates[:end], known) == at_once[:end]
    # Fewer of them, or others behind the same first one, are compared anew.
    assert repeats(candidates[:20], known) == at_once[:20]
    changed = [candidates[0], ("x", "quite another text of ten words, none of them known")]
    assert repeats(changed, known) == [at_once[0], None]


def test_what_became_known_meanwhile_counts() -> None:
    known, candidates = TextIndex(), texts(3, 5)[:2]
    assert repeats(candidates, known) == [None, None]
    known.add(prepare("real", [("r", candidates[0][1])])[0])
    assert repeats(candidates, known) == [Match("real", "r", 1.0, True), None]


def _sketch(shingles: frozenset[str]) -> MinHash:
    sketch = MinHash(num_perm=BANDS * ROWS)
    sketch.update_batch([shingle.encode() for shingle in shingles])
    return sketch
