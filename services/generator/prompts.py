"""What language models are asked: one family of prompts per genre, rendered as chat messages.

A family is a TOML file of the folder `prompt_families`, named like the genre it writes.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services.domain.digest import spec_digest
from services.domain.document import Document
from services.domain.errors import InvalidInputError
from services.domain.task import LabelSet
from services.domain.texts import normalised
from services.generator.backends import WriteRequest

FOLDER = Path(__file__).parent / "prompt_families"
DEFAULT_FAMILY = "abstract"

_SLOT = re.compile(r"\{(subjects|exemplars|source)\}")

Definitions = Mapping[str, str]
"""What labels mean, by name."""


@dataclass(frozen=True, slots=True)
class PromptFamily:
    """The prompts of one genre.

    Attributes:
        label_conditioned: Has the slots {subjects} and {exemplars}.
        exemplars: The sentence before examples.
        paraphrase: Has the slot {source}.
        digest: Of the file's texts.
    """

    name: str
    description: str
    system: str
    label_conditioned: str
    exemplars: str
    paraphrase: str

    @property
    def digest(self) -> str:
        return spec_digest({name: getattr(self, name) for name in self.__slots__})


class Prompt(NamedTuple):
    """Two chat messages, and the family they are of."""

    family: str
    system: str
    user: str

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages in the form that chat servers take."""
        return [{"role": "system", "content": self.system}, {"role": "user", "content": self.user}]

    @property
    def digest(self) -> str:
        """The digest of the messages, for the provenance of what they bring about."""
        return spec_digest(self.messages)


@cache
def prompt_families() -> Mapping[str, PromptFamily]:
    """Return all families by name, in alphabetical order."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.toml"))}


def prompt_family(genre: str) -> PromptFamily:
    """Return the family of a genre; an empty one stands for the standard patent.

    Raises:
        InvalidInputError: There is none; the message lists those that exist.
    """
    families = prompt_families()
    if (genre or DEFAULT_FAMILY) not in families:
        raise InvalidInputError(
            f"no prompts for genre {genre!r}; there are: {', '.join(families)}", field="genre"
        )
    return families[genre or DEFAULT_FAMILY]


def render(
    request: WriteRequest, definitions: Definitions | None = None, *, name_labels: bool = True
) -> Prompt:
    """Return the prompt for one candidate: of its source where it has one, else of its labels.

    Args:
        request: Its genre chooses the family.
        definitions: What labels mean; without label names, needed for every label asked for.
        name_labels: False describes labels by their definitions and never names them. Sources are not
            looked at: what a real document says it may say again.

    Raises:
        InvalidInputError: No such genre; no labels; or labels shall not be named, but one has no
            definition, or a definition or an exemplar names one.
    """
    family = prompt_family(request.genre)
    if request.source is not None:
        return Prompt(family.name, family.system, _filled(family.paraphrase, source=request.source.text))
    known = definitions or {}
    if not request.labels:
        raise InvalidInputError("a prompt needs at least one label to ask for", field="labels")
    if not name_labels:
        _check_unnamed(request.labels, known, request.exemplars)
    user = _filled(
        family.label_conditioned,
        subjects="\n".join(f"- {_subject(label, known, name_labels)}" for label in request.labels),
        exemplars=_exemplars(family, request.exemplars),
    )
    return Prompt(family.name, family.system, user)


def names_label(text: str, label: str) -> bool:
    """Return whether a text holds a label's words in a row, whatever their case and punctuation."""
    words = normalised(label)
    if not words:
        return label.casefold() in text.casefold()
    return f" {words} " in f" {normalised(text)} "


def _subject(label: str, definitions: Definitions, name_labels: bool) -> str:
    definition = definitions.get(label, "")
    if not name_labels:
        return definition
    return f"{label}: {definition}" if definition else label


def _exemplars(family: PromptFamily, exemplars: Sequence[Document]) -> str:
    if not exemplars:
        return ""
    examples = [f"Example {i}:\n{document.text}" for i, document in enumerate(exemplars, start=1)]
    return "\n\n" + "\n\n".join([family.exemplars, *examples])


def _check_unnamed(labels: LabelSet, definitions: Definitions, exemplars: Sequence[Document]) -> None:
    undefined = [label for label in labels if not definitions.get(label)]
    if undefined:
        raise InvalidInputError(
            f"label {undefined[0]!r} has no definition, without which it cannot be described unnamed",
            field="definitions",
        )
    for label in labels:
        for defined in labels:
            if names_label(definitions[defined], label):
                raise InvalidInputError(
                    f"the definition of label {defined!r} names label {label!r}: put it in other words",
                    field="definitions",
                )
        for exemplar in exemplars:
            if names_label(exemplar.text, label):
                raise InvalidInputError(
                    f"exemplar {exemplar.id!r} names label {label!r}: show another one", field="exemplars"
                )


def _filled(template: str, **values: str) -> str:
    # In one pass: what a source or a definition says in braces is no slot.
    return _SLOT.sub(lambda slot: values[slot[1]], template)


def _read(path: Path) -> PromptFamily:
    return PromptFamily(name=path.stem, **tomllib.loads(path.read_text(encoding="utf-8")))
