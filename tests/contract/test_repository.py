"""What holds for the repository as a whole and no single module can promise."""

import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("generator", "classifier", "evaluator", "retrieval")
LONGEST_FILE = 300


def tracked_files() -> Iterator[Path]:
    """Every file that git tracks or would, if added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return (ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file())


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_no_python_file_holds_two_subjects() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in tracked_files() if file.suffix == ".py"}
    assert not {file: length for file, length in lengths.items() if length > LONGEST_FILE}


def test_stubs_are_compiled_and_not_committed() -> None:
    assert (ROOT / "synthtrial/study/v1/artifact_pb2.pyi").is_file()
    assert not [file for file in tracked_files() if "_pb2" in file.name]


def test_every_contract_has_current_stubs() -> None:
    for contract in (ROOT / "protos").rglob("*.proto"):
        name = ".".join([*contract.relative_to(ROOT / "protos").parent.parts, f"{contract.stem}_pb2"])
        described = importlib.import_module(name).DESCRIPTOR
        declared = re.findall(r"^(?:message|enum|service) (\w+)", contract.read_text(), re.MULTILINE)
        known = {*described.message_types_by_name, *described.enum_types_by_name, *described.services_by_name}
        assert set(declared) == known, f"{contract.name} changed: make protos"


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    names = {re.split(r"[\[<>=]", line)[0] for line in wanted} - {"synthtrial"}
    pinned = {re.sub(r"[-_.]+", "-", name).lower() for name in pins()}
    missing = {name for name in names if re.sub(r"[-_.]+", "-", name).lower() not in pinned}
    assert not missing


def test_no_file_names_a_machine() -> None:
    words = ("/wor" + "k/", "/roo" + "t/", "pypi." + "org", "files.python" + "hosted", "/tmp" + "/w")
    found = [
        f"{file.relative_to(ROOT)}: {word}"
        for file in tracked_files()
        if file.suffix in {".py", ".toml", ".txt", ".md", ".yaml", ".yml", ".proto", ".cfg", ""}
        for word in words
        if word in file.read_text(errors="ignore")
    ]
    assert not found


def test_what_the_readme_links_to_exists() -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text())
    ours = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert ours
    assert not [target for target in ours if not (ROOT / target).exists()]


def test_what_make_runs_exists() -> None:
    modules = re.findall(r"python -m ([\w.]+)", (ROOT / "Makefile").read_text())
    ours = [
        module for module in modules if module.startswith(("flows.", "services.", "synthtrial.", "tests."))
    ]
    assert ours
    for module in ours:
        assert importlib.util.find_spec(module) is not None, module


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_can_start_and_be_called(name: str) -> None:
    assert importlib.util.find_spec(f"services.{name}.__main__") is not None
    assert callable(importlib.import_module(f"services.{name}.service").register)
    importlib.import_module(f"services.{name}.client")


def test_the_front_door_costs_nothing_to_open() -> None:
    code = (
        "import sys, synthtrial\n"
        "heavy = {'grpc', 'numpy', 'prefect', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
