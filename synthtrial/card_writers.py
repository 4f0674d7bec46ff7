"""What synthetic documents say of who wrote them, for a card."""

import json
from collections import Counter
from dataclasses import dataclass, field

from services.domain.corpus import Corpus
from services.domain.document import Provenance
from services.domain.errors import NotFoundError
from services.generator.backends import BACKENDS

# More of one kind are counted; the columns of the tables hold them all.
SHOWN = 10


@dataclass(slots=True)
class Writers:
    """What the documents say of who wrote them, counted by document."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, corpus: Corpus) -> None:
        """Count a corpus's documents."""
        for document in corpus.documents:
            self._count("genre", document.genre)
            if document.provenance is not None:
                for name, value in _facts(document.provenance).items():
                    self._count(name, value)

    def sentences(self) -> list[str]:
        """Return one sentence for every backend."""
        return [_sentence(name) for name in sorted(self.counts.get("backend", ()))]

    def row(self, name: str) -> str:
        """Return what the documents say, with their number; the first few where they say much."""
        found = sorted((value, number) for value, number in self.counts.get(name, {}).items() if value)
        if not found:
            return "none recorded"
        more = len(found) - SHOWN
        shown = ", ".join(f"{value} ({number:,})" for value, number in found[:SHOWN])
        return shown + (f" and {more:,} more, in the column" if more > 0 else "")

    def _count(self, name: str, value: str) -> None:
        self.counts.setdefault(name, Counter())[value] += 1


def _facts(made: Provenance) -> dict[str, str]:
    names = ("backend", "model_revision", "strategy", "prompt_family", "prompt_digest")
    settings = json.loads(made.sampling_json)
    # Words may be paths, addresses or keys of a machine; a preset is a name of ours.
    shown = {k: v for k, v in settings.items() if isinstance(v, int | float) or k == "preset"}
    return {
        **{name: getattr(made, name) for name in names},
        "settings": ", ".join(f"{name} = {value}" for name, value in sorted(shown.items())),
        "seed": str(made.seed),
    }


def _sentence(name: str) -> str:
    try:
        backend = BACKENDS.get(name)
    except NotFoundError:
        return f"The backend `{name}` wrote them, of which this machine knows nothing further."
    if backend.is_llm:
        return f"A large language model wrote them, behind the backend `{name}`."
    if backend.is_finite:
        return f"The backend `{name}` took them from a stock; the study cannot know whether a language model wrote it."
    return f"The backend `{name}` wrote them, which is no language model: {backend.description}"
