"""A study's design and profile, read from TOML and checked before anything runs."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.design_checks import check_claims, check_generators, check_illustrative, check_regimes
from flows.shipped import shipped_names
from services.classifier.families import FAMILIES
from services.domain.digest import spec_digest
from services.domain.errors import InvalidInputError, NotFoundError
from services.domain.nearness import did_you_mean

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class DatasetDesign(_Model):
    """Real documents and how they are split, in documents.

    `parameters` belong to the dataset module named by `kind`. A reference of 0
    documents leaves fidelity out, and the report says so.
    """

    kind: Name = "simulated"
    train: int = Field(default=4000, ge=20)
    test: int = Field(default=1200, ge=20)
    reference: int = Field(default=1000, ge=0)
    parameters: dict[str, Any] = Field(default_factory=dict)


class GeneratorDesign(_Model):
    """A generator under trial.

    Scope "study": one corpus per replicate, conditioned on the smallest regime
    and used in every regime. Scope "regime": the generator fits the regime's
    own documents, so it has a corpus per replicate and regime, at `regimes`
    only. Without `backend` the profile says what stands behind the name, or behind
    the name of another generator that this one is `like`: the same writer in
    another genre, say.
    `documents` 0 means the study's `synthetic_documents`; experiments that take
    more of one generator, such as many paraphrases, set more. Corpora that are
    not `embedded` cost no encoder: they stay out of fidelity, of retrieval and of
    the families that read embeddings. Without `families` it has arms in all of
    the study's.
    """

    name: Name
    scope: Literal["study", "regime"] = "study"
    regimes: tuple[int, ...] = ()
    strategy: Name = "label_conditioned"
    label_source: Literal["empirical", "backend"] = "empirical"
    genre: str = ""
    like: str = ""
    backend: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    documents: int = Field(default=0, ge=0)
    embedded: bool = True
    families: tuple[Name, ...] = ()


class ClaimsDesign(_Model):
    """The claims declared before the run: these generators against their row twins.

    An empty list of generators means all of them.
    """

    regime: int = 165
    family: Name = "tfidf_linear"
    generators: tuple[Name, ...] = ()


class IllustrativeDesign(_Model):
    """A family too dear to repeat often: these generators at the claims' regime, in few replicates.

    Below five replicates there is no verdict; the page says that it illustrates.
    """

    family: Name
    generators: tuple[Name, ...]
    replicates: int = Field(default=2, ge=1)


class Design(_Model):
    """One study, whole."""

    name: Name
    seed: int = Field(2605, ge=0, lt=2**63)
    replicates: int = Field(8, ge=1, le=64)
    regimes: tuple[int, ...] = (165, 330, 660, 1320)
    synthetic_documents: int = Field(660, ge=1)
    families: tuple[Name, ...] = ("tfidf_linear", "frozen_encoder")
    family_parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    encoder: Annotated[str, Field(pattern=r"^[a-z0-9_.-]{0,64}$")] = "minilm"
    folds: int = Field(5, ge=2)
    margin: float = Field(0.02, gt=0, lt=1)
    embedding_budget: int = Field(50_000, ge=0)
    fidelity_metrics: tuple[Name, ...] = ("mmd2", "remote_clique", "chamfer")
    experiments: tuple[Name, ...] = ("a_e1_grid", "a_e2_controls", "a_e10_retrieval")
    dataset: DatasetDesign = DatasetDesign()
    generators: tuple[GeneratorDesign, ...]
    claims: ClaimsDesign = ClaimsDesign()
    illustrative: IllustrativeDesign | None = None

    @property
    def all_families(self) -> tuple[str, ...]:
        """The classifier families of all cells, illustrative ones among them."""
        return (*self.families, *((self.illustrative.family,) if self.illustrative else ()))

    @property
    def digest(self) -> str:
        return spec_digest(self.model_dump(mode="json"))

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
        wanted = generator.families or self.families
        return tuple(f for f in wanted if generator.embedded or not FAMILIES.get(f).encodes)

    def documents_of(self, generator: GeneratorDesign) -> int:
        """Return how many documents a generator's corpora hold."""
        return generator.documents or self.synthetic_documents

    @model_validator(mode="after")
    def _check(self) -> "Design":
        check_regimes(self)
        check_generators(self)
        check_claims(self)
        check_illustrative(self)
        return self


class GeneratorProfile(_Model):
    """What stands behind a generator's name."""

    backend: Name
    parameters: dict[str, Any] = Field(default_factory=dict)


class Profile(_Model):
    """Where the services are and which backends stand behind the generators.

    A service's address is `inproc` or a gRPC target such as `127.0.0.1:50051`.
    """

    name: Name
    description: str = ""
    services: dict[Literal["generator", "classifier", "evaluator", "retrieval"], str]
    generators: dict[str, GeneratorProfile] = Field(default_factory=dict)

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
    return Design(**_checked(Design, _read("designs", name), name))


def load_profile(name: str) -> Profile:
    """Read a shipped profile by name, or a TOML file by path; errors as `load_design`."""
    return Profile(**_checked(Profile, _read("profiles", name), name))


def _read(folder: str, name: str) -> dict[str, Any]:
    shipped = resources.files("flows") / folder / f"{name}.toml"
    path = Path(name)
    if name.endswith(".toml") and path.is_file():
        text = path.read_text()
    elif shipped.is_file():
        text = shipped.read_text()
    else:
        known = shipped_names(folder)
        raise NotFoundError(
            f"no {folder[:-1]} {name!r}: there are {', '.join(known)}, or give the path of a .toml file"
            f"{did_you_mean(name, known)}",
            name=name,
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"{name} is not TOML: {error}", field=folder[:-1]) from None


def _checked(model: type[BaseModel], values: dict[str, Any], name: str) -> dict[str, Any]:
    try:
        model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            hint = f"; known keys: {', '.join(sorted(model.model_fields))}"
        raise InvalidInputError(f"{name}: {field or 'design'}: {first['msg']}{hint}", field=field) from None
    return values
