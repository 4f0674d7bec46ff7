"""Dataclasses as JSON types, for the store."""

import json
from dataclasses import asdict
from typing import Any


def plain(value: Any) -> dict[str, Any]:
    """Return a dataclass as JSON types; tuples become lists."""
    return dict(json.loads(json.dumps(asdict(value), default=dict)))
