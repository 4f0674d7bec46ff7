"""What a study ran on: beside its tables, never in them."""

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.run import StudyRun

STATE_VARIABLE = "SYNTHTRIAL_STATE"
PACKAGES = (
    "faiss-cpu",
    "grpcio",
    "numba",
    "numpy",
    "prefect",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "synthtrial",
    "tokenizers",
    "torch",
)


def describe_environment(run: "StudyRun") -> dict[str, Any]:
    """Return processor, memory, packages, digests and wall times."""
    material = run.loaded
    return {
        "processor": processor(),
        "cpu_count": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "memory": _memory(),
        "encoder": _encoder(run),
        "packages": {name: _version(name) for name in PACKAGES},
        "digests": {
            "design": run.study.design.digest,
            "train": material.train,
            "test": material.test,
            "reference": material.reference,
        },
        "algorithms": dict(run.study.algorithms),
        "damaged_objects_set_aside": list(run.set_aside),
        "wall_seconds": {stage: round(seconds, 1) for stage, seconds in run.timings.items()},
    }


def _encoder(run: "StudyRun") -> dict[str, str]:
    if not run.embeddings:
        return {}
    _, metadata = run.study.store.get_arrays(run.embeddings[run.loaded.test])
    return {"name": run.study.design.encoder, "revision": metadata.get("encoder", "")}


def _memory() -> dict[str, Any]:
    """What the supervisor sampled so far; empty where nothing samples."""
    path = Path(os.environ.get(STATE_VARIABLE, ".synthtrial")) / "memory.json"
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def processor() -> str:
    """Return the processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
