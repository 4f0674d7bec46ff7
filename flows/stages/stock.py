"""One stock of documents for all replicates of a study, written once and dealt out without overlap.

A candidate belongs to one replicate from the start and is written from nothing that this
replicate does not hold. All are screened together, so that no two replicates hold the
same document, or nearly the same: a generator with little to say is found out here.
"""

import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain

from flows.cells import file_identity
from flows.design import GeneratorDesign
from flows.stages.accounting import CorpusKey, Written, screen_shares
from flows.stages.accounts import account, is_whole, read_account
from flows.stages.asking import backend_of, held_against, specification
from flows.stages.context import Study
from flows.stages.loading import Material
from flows.stages.values import plain
from flows.versions import WRITING
from services.domain.artifact import ArtifactRef
from services.domain.errors import PreconditionError
from services.generator.planning import GenerationSpec, Outcome

Shares = tuple[Written, ...]

# Replicates are written at the same time, and the first one writes for all.
_WRITING = threading.Lock()


def share_of_stock(study: Study, material: Material, key: CorpusKey) -> Written:
    """Return a replicate's share of its generator's stock, which is written where the store lacks it.

    Raises:
        PreconditionError: The stock does not suffice for all replicates.
    """
    generator = study.design.generator(key.generator)
    keys = [CorpusKey(generator.name, number) for number in range(study.design.replicates)]
    specs = [specification(study, material, one, generator) for one in keys]
    identity = _identity(study, material, generator, specs)
    with _WRITING:
        shares = _known(study, generator, identity) or _written(study, material, keys, specs, identity)
    require_enough(study, generator, shares)
    return shares[key.replicate]


def _known(study: Study, generator: GeneratorDesign, identity: Mapping[str, object]) -> Shares:
    """Return the stock on record, whole; nothing where it is to be written, again perhaps.

    A shortage stands for its `over` alone, so that a larger one asks again.
    """
    known = study.store.lookup(identity) or study.store.lookup(_short(generator, identity))
    shares = _read(study, known) if known else ()
    return shares if all(is_whole(study, share) for share in shares) else ()


def _written(
    study: Study,
    material: Material,
    keys: Sequence[CorpusKey],
    specs: Sequence[GenerationSpec],
    identity: Mapping[str, object],
) -> Shares:
    """Write a stock and put it on record, a shortage apart from what suffices."""
    generator = study.design.generator(keys[0].generator)
    reference = _write(study, material, keys, specs)
    shares = _read(study, reference)
    study.store.replace(
        identity if _suffices(study, generator, shares) else _short(generator, identity), reference
    )
    return shares


def _short(generator: GeneratorDesign, identity: Mapping[str, object]) -> dict[str, object]:
    return {**identity, "over": generator.over}


def _suffices(study: Study, generator: GeneratorDesign, shares: Sequence[Written]) -> bool:
    each = study.design.documents_of(generator)
    return all(share.accepted >= each for share in shares)


def require_enough(study: Study, generator: GeneratorDesign, shares: Sequence[Written]) -> None:
    """Check that every replicate has its documents.

    Raises:
        PreconditionError: Some do not; the message counts what there is and what there should be.
    """
    if _suffices(study, generator, shares):
        return
    each = study.design.documents_of(generator)
    asked, accepted = sum(share.requested for share in shares), sum(share.accepted for share in shares)
    rejected = _summed([share.rejected for share in shares]) or "none"
    failed = _summed([share.failed for share in shares]) or "none"
    ended = (
        f"over = {generator.over:g} allows no more candidates: raise it"
        if asked >= _most(study, generator)
        else "there are no more: add documents"
    )
    raise PreconditionError(
        f"generator {generator.name!r} has {accepted:,} documents that passed screening, and {len(shares)} replicates "
        f"of {each:,} need {len(shares) * each:,} ({asked:,} candidates asked for, rejected: {rejected}, "
        f"failed: {failed}); {ended}, lower synthetic_documents or replicates, or look at what was rejected",
        field=f"generators.{generator.name}",
    )


def _identity(
    study: Study, material: Material, generator: GeneratorDesign, specs: Sequence[GenerationSpec]
) -> dict[str, object]:
    backend = specs[0].backend
    return {
        "kind": "synthetic_stock",
        "version": WRITING,
        "specs": [plain(spec) for spec in specs],
        "backend_version": study.algorithms.get(backend, ""),
        **file_identity(specs[0].parameters),
        "count": study.design.documents_of(generator),
        "against": [material.train, material.test, material.reference],
    }


def _read(study: Study, reference: ArtifactRef) -> Shares:
    return tuple(read_account(values) for values in study.store.get_json(reference))


def _write(
    study: Study, material: Material, keys: Sequence[CorpusKey], specs: Sequence[GenerationSpec]
) -> ArtifactRef:
    generator = study.design.generator(keys[0].generator)
    backend = backend_of(study, specs[0].backend)
    each, most = study.design.documents_of(generator), _most(study, generator)
    reals = [held_against(study, material, key) for key in keys]
    dealt: list[tuple[int, Outcome]] = []
    exhausted: set[int] = set()
    while True:
        screened = screen_shares(dealt, reals, keeps_rejected=backend.keeps_rejected)
        lacking = _lacking([each - len(share.kept) for share in screened], exhausted, most - len(dealt))
        if not lacking:
            break
        new, ended = _ask(study, specs, dealt, lacking, shared=backend.is_finite)
        dealt += new
        exhausted |= ended
    requested = Counter(share for share, _ in dealt)
    accounts = [
        account(study, key, specs[0].task, requested[share], screened[share])
        for share, key in enumerate(keys)
    ]
    return study.store.put_json([asdict(one) for one in accounts])


def _lacking(wanted: Sequence[int], exhausted: set[int], most: float) -> dict[int, int]:
    """Return how many candidates each share is asked for next, within what may be asked for in all."""
    found: dict[int, int] = {}
    for share, count in enumerate(wanted):
        allowed = int(min(count, most))
        if allowed > 0 and share not in exhausted:
            found[share] = allowed
            most -= allowed
    return found


def _ask(
    study: Study,
    specs: Sequence[GenerationSpec],
    dealt: Sequence[tuple[int, Outcome]],
    lacking: Mapping[int, int],
    *,
    shared: bool,
) -> tuple[list[tuple[int, Outcome]], set[int]]:
    """Return the next candidates with whose they are, and the shares for which there are no more.

    What is shared, such as a file, is dealt in its own order to whoever still lacks documents.
    """
    generate = study.clients.generator.generate
    if shared:
        owners = list(chain.from_iterable([share] * count for share, count in lacking.items()))
        found = list(generate(specs[0], start=len(dealt), count=len(owners)))
        return list(zip(owners, found, strict=False)), set(lacking) if len(found) < len(owners) else set()
    asked = Counter(share for share, _ in dealt)
    new: list[tuple[int, Outcome]] = []
    ended = set()
    for share, count in lacking.items():
        outcomes = list(generate(specs[share], start=asked[share], count=count))
        new += [(share, outcome) for outcome in outcomes]
        if len(outcomes) < count:
            ended.add(share)
    return new, ended


def _most(study: Study, generator: GeneratorDesign) -> float:
    """Return how many candidates may be asked for; a finite stock costs nothing to look through to its end."""
    if backend_of(study, study.profile.behind(generator).backend).is_finite:
        return math.inf
    return math.ceil(generator.over * study.design.documents_of(generator) * study.design.replicates)


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for some in counts:
        total.update(some)
    return dict(sorted(total.items()))
