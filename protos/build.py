"""Compile the contracts into typed stubs: hatch runs it at install, `make protos` by hand.

The proto path is the Python package path, so `protos/synthtrial/study/v1/x.proto`
becomes `synthtrial.study.v1.x_pb2` and no import needs repair.
"""

import importlib.resources
import os
import sys
from pathlib import Path
from typing import Any

from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[1]
CONTRACTS = ROOT / "protos"


def compile_contracts(root: Path = ROOT) -> list[Path]:
    """Write the stubs of every contract under `root` and return their packages' folders."""
    sources = sorted(str(source.relative_to(CONTRACTS)) for source in CONTRACTS.rglob("*.proto"))
    outputs = [f"--python_out={root}", f"--grpc_python_out={root}"]
    outputs += [f"--mypy_out=quiet:{root}", f"--mypy_grpc_out=quiet:{root}"]
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    # protoc looks for its plug-ins on the path, where an unactivated environment is not.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if protoc.main(["protoc", f"-I{CONTRACTS}", f"-I{well_known}", *outputs, *sources]) != 0:
        sys.exit("protoc refused the contracts; its messages are above")
    return [_package(root / Path(source).parent) for source in sources]


def _package(folder: Path) -> Path:
    for package in (folder, folder.parent):
        (package / "__init__.py").touch()
    return folder


class StubsHook(BuildHookInterface[Any]):
    """Compiles before hatch collects files, for wheels and editable installs alike."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the stubs to the builder, which skips what git ignores."""
        compile_contracts()
        build_data["artifacts"].append("synthtrial/*/v1/*.py*")
        build_data["artifacts"].append("synthtrial/*/__init__.py")


if __name__ == "__main__":
    compile_contracts()
