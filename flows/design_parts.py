"""What a design is made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
# What a part of a design cannot run without; `flows.lacking` says how a profile offers it.
Need = Literal["documents", "language_model", "cuda", "hub"]

DISJOINT = "disjoint"


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class DatasetDesign(FrozenModel):
    """Real documents and how they are split, in documents.

    `parameters` belong to the dataset module named by `kind`. A reference of 0
    documents leaves fidelity out, and the report says so. Where it `needs`
    documents, the profile says which module reads them, and where they lie.
    """

    kind: Name = "simulated"
    train: int = Field(default=4000, ge=20)
    test: int = Field(default=1200, ge=20)
    reference: int = Field(default=1000, ge=0)
    parameters: dict[str, Any] = Field(default_factory=dict)
    needs: tuple[Need, ...] = ()


class GeneratorDesign(FrozenModel):
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
    the families that read embeddings. With `embedded_replicates` only the first so
    many are searched and measured. Without `families` it has arms in all of
    the study's.
    Draws "disjoint": the documents of all replicates are written once, screened
    together, so that no two replicates share one, and asked for up to `over` times
    as often as they are needed. Draws "fresh": every replicate for itself.
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
    embedded_replicates: int = Field(default=0, ge=0)
    families: tuple[Name, ...] = ()
    draws: Literal["fresh", "disjoint"] = "fresh"
    over: float = Field(default=1.2, ge=1, le=10)
    needs: tuple[Need, ...] = ()

    def embeds(self, replicate: int) -> bool:
        """Say whether the corpora of a replicate, counted from 0, are embedded."""
        return self.embedded and (not self.embedded_replicates or replicate < self.embedded_replicates)


class VariantDesign(FrozenModel):
    """A classifier family under a name of its own: fine-tuning of another checkpoint, say."""

    family: Name
    parameters: dict[str, Any] = Field(default_factory=dict)
    needs: tuple[Need, ...] = ()


class ClaimsDesign(FrozenModel):
    """The claims declared before the run: these generators against their row twins.

    An empty list of generators means all of them.
    """

    regime: int = 165
    family: Name = "tfidf_linear"
    generators: tuple[Name, ...] = ()


class IllustrativeDesign(FrozenModel):
    """A family too dear to repeat often: these generators at the claims' regime, in few replicates.

    Below five replicates there is no verdict; the page says that it illustrates.
    """

    family: Name
    generators: tuple[Name, ...]
    replicates: int = Field(default=2, ge=1)
