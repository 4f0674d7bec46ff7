"""A study's design and profile, read from TOML and checked before anything runs."""

from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from flows.design_checks import (
    check_claims,
    check_generators,
    check_illustrative,
    check_parameters,
    check_regimes,
    check_variants,
)
from flows.design_parts import (
    ClaimsDesign,
    DatasetDesign,
    FrozenModel,
    GeneratorDesign,
    IllustrativeDesign,
    Name,
    VariantDesign,
)
from flows.ratios import counted
from flows.toml_files import checked, read_toml
from services.classifier.families import FAMILIES
from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError, NotFoundError

__all__ = [
    "ClaimsDesign",
    "DatasetDesign",
    "DatasetProfile",
    "Design",
    "GeneratorDesign",
    "GeneratorProfile",
    "IllustrativeDesign",
    "Profile",
    "VariantDesign",
    "load_design",
    "load_profile",
]


class Design(FrozenModel):
    """One study, whole."""

    name: Name
    seed: int = Field(2605, ge=0, lt=2**63)
    replicates: int = Field(8, ge=1, le=64)
    regimes: tuple[int, ...] = (165, 330, 660, 1320)
    synthetic_documents: int = Field(660, ge=1)
    families: tuple[Name, ...] = ("tfidf_linear", "frozen_encoder")
    family_parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    variants: dict[Name, VariantDesign] = Field(default_factory=dict)
    encoder: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{0,64}$|^[^\s]*/[^\s]*$")] = "minilm"
    folds: int = Field(5, ge=2)
    margin: float = Field(0.02, gt=0, lt=1)
    embedding_budget: int = Field(50_000, ge=0)
    fidelity_metrics: tuple[Name, ...] = ("mmd2", "remote_clique", "chamfer")
    experiments: tuple[Name, ...] = ("a_e1_grid", "a_e2_controls", "a_e10_retrieval")
    dataset: DatasetDesign = DatasetDesign()
    generators: tuple[GeneratorDesign, ...]
    claims: ClaimsDesign = ClaimsDesign()
    illustrative: IllustrativeDesign | None = None
    _whole: "Design | None" = PrivateAttr(default=None)

    @property
    def whole(self) -> "Design":
        """The design as it was written, where this is the part of it that can run."""
        return self._whole or self

    @property
    def all_families(self) -> tuple[str, ...]:
        """The classifier families of all cells, illustrative ones among them."""
        return (*self.families, *((self.illustrative.family,) if self.illustrative else ()))

    @property
    def digest(self) -> str:
        return spec_digest(self.whole.model_dump(mode="json"))

    @property
    def smallest_regime(self) -> int:
        return min(self.regimes)

    @property
    def claimed_generators(self) -> tuple[str, ...]:
        return self.claims.generators or tuple(g.name for g in self.generators)

    def generator(self, name: str) -> GeneratorDesign:
        """Return a generator by name.

        Raises:
            NotFoundError: The design has no such generator.
        """
        for generator in self.generators:
            if generator.name == name:
                return generator
        known = ", ".join(g.name for g in self.generators)
        raise NotFoundError(f"the design has no generator {name!r}; it has: {known}", name=name)

    def regimes_of(self, generator: GeneratorDesign) -> tuple[int, ...]:
        """Return the regimes in which a generator's corpora are used."""
        return generator.regimes if generator.scope == "regime" else self.regimes

    def families_of(self, generator: GeneratorDesign) -> tuple[str, ...]:
        """Return the classifier families in which a generator has arms."""
        wanted = [f for f in generator.families or self.families if f in self.families]
        whole = generator.embedded and not generator.embedded_replicates
        return tuple(f for f in wanted if whole or not FAMILIES.get(self.family_behind(f)).encodes)

    def family_behind(self, family: str) -> str:
        """Return the registered family that a variant is of; any other name as it is."""
        return self.variants[family].family if family in self.variants else family

    def parameters_of(self, family: str) -> dict[str, Any]:
        """Return the parameters of a family or variant."""
        own = self.variants[family].parameters if family in self.variants else {}
        return {**self.family_parameters.get(family, {}), **own}

    def part(self, **changes: Any) -> "Design":
        """Return a part of this design, which stands for all of it: the digest stays."""
        found = self.model_copy(update=changes)
        found._whole = self.whole
        return found

    def documents_of(self, generator: GeneratorDesign) -> int:
        """Return how many documents a generator's corpora hold."""
        return generator.documents or self.synthetic_documents

    @model_validator(mode="before")
    @classmethod
    def _count(cls, values: Any) -> Any:
        return counted(values, DatasetDesign().train)

    @model_validator(mode="after")
    def _check(self) -> "Design":
        check_regimes(self)
        check_variants(self)
        check_generators(self)
        check_claims(self)
        check_illustrative(self)
        check_parameters(self)
        return self


class GeneratorProfile(FrozenModel):
    """What stands behind a generator's name."""

    backend: Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class DatasetProfile(FrozenModel):
    """Where the documents lie, for designs that leave it to the profile."""

    kind: Name
    parameters: dict[str, Any]


class Profile(FrozenModel):
    """Where the services are and which backends stand behind the generators.

    A service's address is `inproc` or a gRPC target such as `127.0.0.1:50051`. What
    the machines of the services have beyond packages, it `offers`.
    """

    name: Name
    description: str = ""
    services: dict[Literal["generator", "classifier", "evaluator", "retrieval"], str]
    generators: dict[str, GeneratorProfile] = Field(default_factory=dict)
    dataset: DatasetProfile | None = None
    offers: tuple[Literal["cuda", "hub"], ...] = ()

    def behind(self, generator: GeneratorDesign) -> GeneratorProfile:
        """Return the backend and parameters of a generator.

        Raises:
            InvalidInputError: Neither the design nor this profile names one.
        """
        if generator.backend:
            return GeneratorProfile(backend=generator.backend, parameters=generator.parameters)
        name = generator.like or generator.name
        if name not in self.generators:
            raise InvalidInputError(
                f"generator {name!r} has no backend: name one in the design, or in profile {self.name!r}",
                field=f"generators.{name}.backend",
            )
        found = self.generators[name]
        return GeneratorProfile(
            backend=found.backend, parameters={**found.parameters, **generator.parameters}
        )


def load_design(name: str) -> Design:
    """Read a shipped design by name, or a TOML file by path.

    Raises:
        NotFoundError: There is neither.
        InvalidInputError: A key or value is wrong; the message names it.
    """
    return Design(**checked(Design, read_toml("designs", name), name))


def load_profile(name: str) -> Profile:
    """Read a shipped profile by name, or a TOML file by path; errors as `load_design`."""
    return Profile(**checked(Profile, read_toml("profiles", name), name))
