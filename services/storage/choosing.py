"""Which files of a dataset a study reads."""

from collections.abc import Sequence

from services.domain.errors import InvalidInputError
from services.domain.nearness import did_you_mean
from services.storage.saved import Shard

# The configuration of files in no folder, beside others that are in one.
OUTSIDE = "."


def choose_shards(
    shards: Sequence[Shard], configuration: str = "", splits: Sequence[str] = ()
) -> tuple[Shard, ...]:
    """Return the files of one configuration and of some splits, in their order.

    Args:
        shards: All files of a dataset.
        configuration: May be empty where there is only one; "." for files in no folder.
        splits: Empty for all.

    Raises:
        InvalidInputError: There is no such configuration or split, there are several configurations, or
            a split is there in files of several kinds.
    """
    return _of_splits(_of_configuration(shards, configuration), splits)


def _of_configuration(shards: Sequence[Shard], wanted: str) -> tuple[Shard, ...]:
    there = list(dict.fromkeys(shard.configuration or OUTSIDE for shard in shards))
    if not wanted and len(there) > 1:
        raise InvalidInputError(
            f"the dataset holds several configurations: {', '.join(there)}; choose one",
            field="dataset.parameters.configuration",
        )
    if wanted and wanted not in there:
        raise InvalidInputError(
            f"the dataset has no configuration {wanted!r}; there are: {', '.join(there)}{did_you_mean(wanted, there)}",
            field="dataset.parameters.configuration",
        )
    return tuple(shard for shard in shards if not wanted or (shard.configuration or OUTSIDE) == wanted)


def _of_splits(shards: Sequence[Shard], splits: Sequence[str]) -> tuple[Shard, ...]:
    there = list(dict.fromkeys(shard.split for shard in shards))
    wanted = splits or there
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise InvalidInputError(
            f"the dataset has no split {unknown[0]!r}; there are: {', '.join(there)}{did_you_mean(unknown[0], there)}",
            field="dataset.parameters.split",
        )
    chosen = tuple(shard for shard in shards if shard.split in wanted)
    _refuse_mixed(chosen)
    return chosen


def _refuse_mixed(shards: Sequence[Shard]) -> None:
    for split in dict.fromkeys(shard.split for shard in shards):
        kinds = sorted({shard.kind for shard in shards if shard.split == split})
        if len(kinds) > 1:
            raise InvalidInputError(
                f"split {split!r} is there as {' and '.join(kinds)}, probably twice the same documents; "
                "name a folder that holds it once",
                field="dataset.parameters.name",
            )
