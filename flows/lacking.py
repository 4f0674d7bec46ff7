"""What a design needs and its profile does not offer, and the part of the design that runs without it.

A dataset, a generator and a variant of a classifier family say in `needs` what they cannot run
without. Without `needs` a missing backend or file stays an error.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from flows.cells import Wanted
from flows.design import DatasetDesign, Design, GeneratorDesign, Profile
from services.domain.errors import InvalidInputError

Needs = tuple[str, ...]

REMEDIES: Mapping[str, str] = {
    "documents": "real documents: [dataset] in the profile",
    "language_model": "language models: [generators.<name>] in the profile",
    "cuda": 'CUDA: offers = ["cuda"] in the profile',
    "hub": 'checkpoints of the Hugging Face hub: offers = ["hub"] in the profile',
}
# A longer list says no more than its length.
LISTED = 4


@dataclass(frozen=True)
class Lacking:
    """The needs that are not met; parts that lack nothing are left out.

    Attributes:
        dataset: Of the real documents, without which nothing runs.
        generators: By generator.
        families: By classifier family.
    """

    dataset: Needs = ()
    generators: Mapping[str, Needs] = field(default_factory=dict)
    families: Mapping[str, Needs] = field(default_factory=dict)

    @property
    def parts(self) -> Mapping[str, Needs]:
        """Needs by the name of what has them; the dataset's is empty."""
        found = {**self.generators, **self.families}
        return {"": self.dataset, **found} if self.dataset else found

    def allows(self, wanted: Wanted) -> bool:
        """Say whether a cell can run."""
        return (
            not self.dataset
            and wanted.arm.generator not in self.generators
            and wanted.family not in self.families
        )

    def words(self, names: Collection[str]) -> str:
        """Return what some parts need, each need once, as "needs …"; empty where they need nothing."""
        said = []
        for need, remedy in REMEDIES.items():
            concerned = [name for name, needs in self.parts.items() if need in needs and name in {*names, ""}]
            what, _, how = remedy.partition(": ")
            if concerned:
                said.append(f"{what}{_for(concerned)} ({how})")
        return f"needs {'; '.join(said)}" if said else ""


def lacking(design: Design, profile: Profile) -> Lacking:
    """Return what a design needs and a profile does not offer."""
    variants = {
        name: tuple(need for need in variant.needs if need not in profile.offers)
        for name, variant in design.variants.items()
    }
    writers = {
        g.name: tuple(need for need in g.needs if not _offered(need, g, profile)) for g in design.generators
    }
    return Lacking(
        dataset=() if _documents(design.dataset, profile) else ("documents",),
        generators={name: needs for name, needs in writers.items() if needs},
        families={name: needs for name, needs in variants.items() if needs},
    )


def runnable(design: Design, profile: Profile) -> Design:
    """Return the part of a design that can run, its documents where the profile says they lie."""
    found = lacking(design, profile)
    families = tuple(name for name in design.families if name not in found.families)
    illustrative = design.illustrative
    if illustrative and (
        illustrative.family in found.families or set(illustrative.generators) & set(found.generators)
    ):
        illustrative = None
    if not found.parts and not design.dataset.needs:
        return design
    return design.part(
        dataset=_placed(design.dataset, profile),
        families=families,
        generators=tuple(g for g in design.generators if g.name not in found.generators),
        illustrative=illustrative,
    )


def _documents(dataset: DatasetDesign, profile: Profile) -> bool:
    return "documents" not in dataset.needs or bool(dataset.parameters) or profile.dataset is not None


def _placed(dataset: DatasetDesign, profile: Profile) -> DatasetDesign:
    if profile.dataset is None or "documents" not in dataset.needs:
        return dataset
    parameters = {**profile.dataset.parameters, **dataset.parameters}
    return dataset.model_copy(update={"kind": profile.dataset.kind, "parameters": parameters})


def _offered(need: str, generator: GeneratorDesign, profile: Profile) -> bool:
    if need != "language_model":
        return need in profile.offers
    if not generator.backend and (generator.like or generator.name) not in profile.generators:
        return False
    _check_model(generator, profile)
    return True


def _check_model(generator: GeneratorDesign, profile: Profile) -> None:
    """Raise where the profile would have another model written under a generator's name."""
    entry = profile.generators.get(generator.like or generator.name)
    wanted, found = generator.parameters.get("model"), entry.parameters.get("model") if entry else None
    if wanted and found and wanted != found:
        raise InvalidInputError(
            f"profile {profile.name!r} serves {found!r} as generator {generator.name!r}; the design asks for {wanted!r}",
            field=f"generators.{generator.like or generator.name}.parameters.model",
        )


def _for(names: Iterable[str]) -> str:
    known = [name for name in names if name]
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return f" for {', '.join(known[:LISTED])}{more}" if known else ""
