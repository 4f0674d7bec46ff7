"""What makes a design's keys agree with one another; each raises ValueError with what was found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.design_parts import DISJOINT
from services.classifier.families import FAMILIES
from services.classifier.parameters import read_parameters
from services.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from flows.design import Design

MAXIMUM_CLAIMS = 12


def check_regimes(design: "Design") -> None:
    if not design.regimes or tuple(sorted(set(design.regimes))) != design.regimes:
        raise ValueError(f"regimes must be distinct and ascending, not {list(design.regimes)}")
    if design.regimes[0] < 2 * design.folds:
        raise ValueError(f"a regime of {design.regimes[0]} documents is too small for {design.folds} folds")
    if design.regimes[-1] > design.dataset.train:
        raise ValueError(
            f"regime {design.regimes[-1]} is larger than the train pool of {design.dataset.train} documents"
        )


def check_variants(design: "Design") -> None:
    for name, variant in design.variants.items():
        if name in FAMILIES.names():
            raise ValueError(f"variant {name!r} is a family already; give it a name of its own")
        if variant.family not in FAMILIES.names():
            raise ValueError(
                f"variant {name!r} is of no family {variant.family!r}; there are: {', '.join(FAMILIES.names())}"
            )
        if name not in design.all_families:
            raise ValueError(f"variant {name!r} is not among the families {list(design.families)}")


def check_generators(design: "Design") -> None:
    names = [g.name for g in design.generators]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"generators need distinct names, not {names}")
    for generator in design.generators:
        strange = set(generator.regimes) - set(design.regimes)
        if strange:
            raise ValueError(f"generator {generator.name}: regime {min(strange)} is not among the design's")
        unknown = set(generator.families) - set(design.families)
        if unknown:
            raise ValueError(
                f"generator {generator.name}: family {min(unknown)!r} is not among the design's: "
                f"{', '.join(design.families)}"
            )
        if (generator.scope == "regime") != bool(generator.regimes):
            raise ValueError(f'generator {generator.name}: list regimes exactly when the scope is "regime"')
        if generator.draws == DISJOINT and generator.scope == "regime":
            raise ValueError(
                f'generator {generator.name}: draws "disjoint" share out one stock, and scope "regime" has a corpus for '
                'every regime; take draws "fresh"'
            )


def check_claims(design: "Design") -> None:
    claims = design.claims
    if claims.regime not in design.regimes:
        raise ValueError(f"claims.regime {claims.regime} is not among the regimes {list(design.regimes)}")
    if claims.family not in design.families:
        raise ValueError(f"claims.family {claims.family!r} is not among the families {list(design.families)}")
    if len(design.claimed_generators) > MAXIMUM_CLAIMS:
        raise ValueError(
            f"{len(design.claimed_generators)} claims are declared; at most {MAXIMUM_CLAIMS} are allowed"
        )
    _require_arms(design, "claims", design.claimed_generators)
    for name in design.claimed_generators:
        if claims.family not in design.families_of(design.generator(name)):
            raise ValueError(f"claims: generator {name!r} has no arm in the family {claims.family!r}")


def check_illustrative(design: "Design") -> None:
    if design.illustrative is not None:
        _require_arms(design, "illustrative", design.illustrative.generators)
        if design.illustrative.replicates > design.replicates:
            raise ValueError(
                f"illustrative.replicates {design.illustrative.replicates} is more than the study's {design.replicates}"
            )


def _require_arms(design: "Design", key: str, names: Sequence[str]) -> None:
    """Raise where a named generator has no arm at the claims' regime."""
    for name in names:
        generator = next((g for g in design.generators if g.name == name), None)
        if generator is None or design.claims.regime not in design.regimes_of(generator):
            raise ValueError(f"{key}: generator {name!r} has no arm at regime {design.claims.regime}")


def check_parameters(design: "Design") -> None:
    """Check what is set for families here; what the services lack is told where they are asked."""
    strange = sorted(set(design.family_parameters) - set(design.all_families))
    if strange:
        raise ValueError(
            f"family_parameters: the design has no family {strange[0]!r}; it has: {', '.join(design.all_families)}"
        )
    for name in design.all_families:
        behind = design.family_behind(name)
        if behind in FAMILIES.names():
            try:
                read_parameters(FAMILIES.get(behind).parameters, design.parameters_of(name), name)
            except InvalidInputError as error:
                raise ValueError(error.message) from None
