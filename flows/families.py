"""Which documents belong together: named families, and texts that are the same."""

from collections.abc import Hashable, Iterable, Sequence

from services.domain.digest import text_digest
from services.domain.texts import normalised


def text_key(text: str) -> str:
    """Name the group of all texts that say the same; without words, those that are the same."""
    return f"text-{text_digest(normalised(text) or text.strip())[:20]}"


def families_of(texts: Sequence[str], named: Sequence[str]) -> tuple[str, ...]:
    """Return every document's family.

    Documents are joined by a shared name, by a shared text, and by any chain of both: a
    duplicate filed under two families makes one family of them.

    Args:
        texts: Shape (n,).
        named: Shape (n,), the family a file names; "" where it names none.

    Returns:
        The smallest name of each group; the key of its text where it has no name.
    """
    keys = [text_key(text) for text in texts]
    groups = _Groups()
    for key, name in zip(keys, named, strict=True):
        groups.join(("text", key), ("name", name) if name else ("text", key))
    roots = [groups.root(("text", key)) for key in keys]
    labels = _smallest_names(roots, keys, named)
    return tuple(labels[root] for root in roots)


def _smallest_names(
    roots: Sequence[Hashable], keys: Sequence[str], named: Sequence[str]
) -> dict[Hashable, str]:
    """Name groups by their own content, so that the order of the rows decides nothing."""
    members: dict[Hashable, tuple[bool, str]] = {}
    for root, key, name in zip(roots, keys, named, strict=True):
        candidate = (not name, name or key)
        members[root] = min(members.get(root, candidate), candidate)
    return {root: name for root, (_, name) in members.items()}


def duplicate_groups(texts: Iterable[str]) -> dict[str, list[int]]:
    """Return the rows of every text that occurs more than once."""
    rows: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        rows.setdefault(text_key(text), []).append(i)
    return {key: members for key, members in rows.items() if len(members) > 1}


class _Groups:
    """Disjoint sets; the root of a key stands for its set."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def root(self, key: Hashable) -> Hashable:
        while (parent := self._parent.setdefault(key, key)) != key:
            self._parent[key] = self._parent[parent]
            key = parent
        return key

    def join(self, left: Hashable, right: Hashable) -> None:
        self._parent[self.root(left)] = self.root(right)
