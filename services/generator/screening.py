"""What of the written documents may be used, and why the rest may not.

Per document the answer is a pure function of the candidate and its request. Per corpus,
candidates are compared in index order with all real documents and with one another.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from services.domain.corpus import Corpus
from services.domain.document import Document
from services.domain.task import LabelSet, Task, TaskType
from services.domain.texts import normalised
from services.features.near_duplicates import Match
from services.generator.near_duplicates import known_texts, repeats

# A document much longer than any real one is not of their kind; without real ones only this holds.
LONGEST_CHARACTERS = 50_000
LENGTH_FACTOR = 4
LETTERS_LOOKED_AT = 400
FOREIGN_SHARE = 0.3

_TASK = r"(help(?! but\b)|assist|fulfil|comply|provide|generate|create|write|produce|complete|answer|do that|engage)"
# People are sorry and unable too: only what speaks of the request itself is a refusal.
_REFUSAL = re.compile(
    rf"^\W*(as an ai\b|as a (large )?language model|i do not feel comfortable {_TASK}|"
    rf"((i'?m sorry|i am sorry|sorry|unfortunately|i apologi[sz]e)\W+(but )?)?"
    rf"(i can(no|'|’)t|i can ?not|i am unable to|i'?m unable to|i won'?t be able to) {_TASK})",
    re.IGNORECASE,
)


class Finding(NamedTuple):
    """Why a document is not good enough; `detail` is for a person."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What single documents are held to.

    Attributes:
        scripts: Writing systems of the real documents; empty where nothing is known.
        longest: Characters a document may have.
    """

    task: Task
    scripts: frozenset[str]
    longest: int


class CorpusRejection(NamedTuple):
    """A candidate that repeats another document.

    Attributes:
        position: Of the candidate in the sequence screened.
        reason: copy_of_real, copy_of_test, copy_of_reference, copy_of_synthetic, or near_duplicate_of_... .
        nearest_id: The document it repeats.
        similarity: Jaccard similarity of their three-word shingles; 1 for copies.
    """

    position: int
    reason: str
    nearest_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class CorpusScreening:
    """Positions that passed, ascending, and the others with their reasons; together all of them."""

    accepted: tuple[int, ...]
    rejections: tuple[CorpusRejection, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """How many candidates were rejected, by reason in alphabetical order."""
        return dict(sorted(Counter(rejection.reason for rejection in self.rejections).items()))


def rules_for(task: Task, real: Corpus | None) -> Rules:
    """Return the rules that the real documents suggest."""
    if real is None:
        return Rules(task, frozenset(), LONGEST_CHARACTERS)
    scripts = Counter(script_of(text) for text in real.texts)
    common = frozenset(name for name, count in scripts.items() if name and count >= 0.01 * len(real))
    return Rules(task, common, LENGTH_FACTOR * max(map(len, real.texts)))


def screen_document(
    text: str, labels: LabelSet, rules: Rules, *, source: str = "", truncated: bool = False
) -> Finding | None:
    """Return what is wrong with one document, None when nothing is.

    Args:
        text: What was written.
        labels: What it is labelled with.
        rules: What it is held to.
        source: The text it was to be rewritten from; empty without one.
        truncated: Whether it stops because it reached the writer's length limit.
    """
    if not normalised(text):
        return Finding("empty", "there is no word in it")
    if _REFUSAL.match(text):
        return Finding("refusal", f"it begins with {text.strip()[:60]!r}")
    if truncated:
        return Finding("truncated", "it stops at the length limit")
    if len(text) > rules.longest:
        return Finding("too_long", f"{len(text)} characters, more than {rules.longest}")
    if source and says_the_same(text, source):
        return Finding("copy_of_source", "it says word for word what its source says")
    if rules.scripts and script_of(text) not in rules.scripts | {""}:
        return Finding(
            "language", f"it is written in {script_of(text)}, not in {', '.join(sorted(rules.scripts))}"
        )
    return _label_finding(labels, rules.task)


def says_the_same(text: str, source: str) -> bool:
    """Return whether a text is its source, but for case, punctuation and white space; no words are no copy."""
    words = normalised(text)
    return bool(words) and words == normalised(source)


def screen_corpus(
    documents: Sequence[Document], train: Corpus, test: Corpus | None = None, reference: Corpus | None = None
) -> CorpusScreening:
    """Find candidates that repeat a real document or an earlier candidate that passed.

    Args:
        documents: Candidates in index order; may be empty.
        train: The whole train pool, not only one regime.
        test: The test documents, where there are any.
        reference: The held-out documents for fidelity, where there are any.
    """
    known = known_texts((("real", train), ("test", test), ("reference", reference)))
    matches = repeats([(document.id, document.text) for document in documents], known)
    accepted = tuple(i for i, match in enumerate(matches) if match is None)
    rejections = tuple(_rejection(i, match) for i, match in enumerate(matches) if match is not None)
    return CorpusScreening(accepted, rejections)


def script_of(text: str) -> str:
    """Return the writing system of a text, as Unicode names it; empty for a text without letters.

    A text counts as Latin unless a good share of its letters is not.
    """
    beginning = text[: 4 * LETTERS_LOOKED_AT]
    if beginning.isascii():
        return "LATIN" if any(map(str.isalpha, beginning)) else ""
    letters = [char for char in beginning if char.isalpha()][:LETTERS_LOOKED_AT]
    scripts = Counter(map(_script_of_letter, letters))
    foreign = [(count, name) for name, count in scripts.items() if name != "LATIN"]
    if not letters:
        return ""
    return max(foreign)[1] if sum(n for n, _ in foreign) > FOREIGN_SHARE * len(letters) else "LATIN"


# A text has few different letters, and asking for a name is dear.
@lru_cache(maxsize=4096)
def _script_of_letter(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]


def _label_finding(labels: LabelSet, task: Task) -> Finding | None:
    unknown = [label for label in labels if label not in task.labels]
    if unknown:
        return Finding("label", f"label {unknown[0]!r} is not part of the task")
    if not labels:
        return Finding("label", "it has no labels")
    if task.type is TaskType.SINGLE_LABEL and len(labels) > 1:
        return Finding("label", f"it has {len(labels)} labels in a single-label task")
    return None


def _rejection(position: int, match: Match) -> CorpusRejection:
    kind = "copy_of" if match.exact else "near_duplicate_of"
    return CorpusRejection(position, f"{kind}_{match.group}", match.id, match.similarity)
