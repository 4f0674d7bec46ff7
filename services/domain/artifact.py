"""References to stored bytes."""

from dataclasses import dataclass

SCHEME = "store://"


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """Where some bytes are and what they must be.

    `sha256` is lower-case hexadecimal; `row_count` is 0 for what has no rows.
    """

    uri: str
    sha256: str
    row_count: int = 0

    @classmethod
    def stored(cls, sha256: str, row_count: int = 0) -> "ArtifactRef":
        """Refer to an object of the store the services share."""
        return cls(f"{SCHEME}{sha256}", sha256, row_count)
