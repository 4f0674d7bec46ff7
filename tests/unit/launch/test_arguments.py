"""A misspelt command line is told what it may have meant."""

import pytest

from synthtrial import cli, launch
from synthtrial.arguments import Arguments


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "--raal", "x"], "no option '--raal'; did you mean --real?"),
        (["audit", "--real", "x", "--famly=y"], "no option '--famly'; did you mean --family?"),
        (["study", "--desing", "smoke"], "no option '--desing'; did you mean --design?"),
        (["up", "--prefct-url", "x"], "no option '--prefct-url'; did you mean --prefect-url?"),
        (["trace", "0.4", "--resulst", "x"], "no option '--resulst'; did you mean --results?"),
        (["gc", "--frobnicate"], "no option '--frobnicate'; there are: --help, --delete, --hours"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in refused(arguments, capsys)


def test_beginnings_and_what_follows_two_dashes_are_no_unknown_options() -> None:
    parser = Arguments()
    parser.add_argument("--cells", action="store_true")
    parser.add_argument("words", nargs="*")
    found = parser.parse_args(["--cell", "--", "--desing"])
    assert found.cells and found.words == ["--desing"]


def test_the_supervisor_names_the_nearest_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        launch.main(["stduy"])
    assert "no command 'stduy'; did you mean study?" in capsys.readouterr().err
