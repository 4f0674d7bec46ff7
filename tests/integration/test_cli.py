"""The front door: quick to open, and honest about what is wrong."""

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import synthtrial
from synthtrial import cli

HEAVY = ("numpy", "pandas", "prefect", "grpc", "torch", "sklearn", "pydantic")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import sys, synthtrial, synthtrial.cli; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_module_does_not_take_the_place_of_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    import synthtrial.planning

    monkeypatch.setitem(sys.modules, "synthtrial.plan", synthtrial.planning)
    setattr(synthtrial, "plan", synthtrial.planning)  # noqa: B010 (as the import system does it)
    assert callable(synthtrial.plan)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        synthtrial.nonsense  # noqa: B018


def test_an_unknown_command_shows_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sudy"]) == 2
    assert "synthtrial COMMAND" in capsys.readouterr().err


def test_a_misspelt_command_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audti"]) == 2
    assert "no command 'audti'; did you mean audit?" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "study"])
def test_help_names_every_shipped_design(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "full, inversion, paper, smoke, trial, or the path of a .toml file" in said


def test_a_family_or_encoder_is_checked_before_any_file(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--real", "absent.csv", "--synthetic", "absent.csv"]
    assert cli.main(["audit", *files, "--encoder", "lsaa"]) == 2
    assert (
        "no 'lsaa'; there are: lsa, minilm, minilm_int8, minilm_lsa; did you mean 'lsa'?"
        in capsys.readouterr().err
    )


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "audit" in capsys.readouterr().out


def test_an_unknown_design_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["study", "--design", "enormous"]) == 1
    assert "no design 'enormous': there are full" in capsys.readouterr().err


def test_an_unknown_design_key_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = tmp_path / "mine.toml"
    smoke = resources.files("flows") / "designs" / "smoke.toml"
    design.write_text("replicas = 3\n" + smoke.read_text())
    assert cli.main(["plan", str(design)]) == 1
    assert "replicas" in capsys.readouterr().err


def test_trace_without_results_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trace", "0.4", "--results", str(tmp_path)]) == 1
    assert "run a study first" in capsys.readouterr().err


def test_gc_without_a_store_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gc"]) == 1
    assert "holds no store" in capsys.readouterr().err
