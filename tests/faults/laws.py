"""What holds of a store whatever happened to the processes over it."""

import json
import re
from pathlib import Path

from services.classifier.runs import RunRecord
from services.domain.digest import sha256_hex
from services.storage.store import Store
from tests.faults.hooks import Lab

SHA256 = re.compile(r"[0-9a-f]{64}")


def holds_only_whole_files(root: Path) -> bool:
    """Assert that nothing but temporary files can be cut short."""
    store = Store(root)
    for path in root.glob("objects/??/*"):
        if not path.name.startswith(".tmp."):
            assert sha256_hex(path.read_bytes()) == path.name, path
    for path in root.glob("keys/??/*.json"):
        record = json.loads(path.read_bytes())
        assert store.keys.lookup(record["specification"]) == record["answer"], path
        assert store.objects.has(record["answer"]["sha256"]), path
    for path in root.glob("runs/*.json"):
        assert RunRecord(store).get(path.stem).id == path.stem
    for path in root.glob("models/*.json"):
        assert store.objects.has(json.loads(path.read_bytes())["artifact"]["sha256"]), path
    return True


def lost(lab: Lab) -> list[str]:
    """Return what was published and is gone, with what it leads to over any number of steps."""
    missing = []
    for event in lab.events("stored"):
        if not Path(event["key"]).exists():
            missing.append(event["key"])
        missing += _unreachable(Store(lab.store), event["sha256"])
    return missing


def computed_again(lab: Lab) -> list[str]:
    """Return what was computed although the store had it."""
    return [event["key"] for event in lab.events("again")]


def measurements(lab: Lab) -> bytes:
    """Return what the last child that came to its end measured."""
    return bytes.fromhex(lab.events("finished")[-1]["measurements"])


def _unreachable(store: Store, sha256: str) -> list[str]:
    if not store.objects.has(sha256):
        return [sha256]
    data = store.objects.get(sha256)
    named = SHA256.findall(data.decode()) if data[:1] == b"{" else []
    return [gone for name in named for gone in _unreachable(store, name)]
