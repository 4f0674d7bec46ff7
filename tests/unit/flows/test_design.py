"""Designs are checked before anything runs."""

from pathlib import Path

import pytest

from flows.design import Design, load_design, load_profile
from services.domain.errors import InvalidInputError, NotFoundError
from services.generator.backends import BACKENDS


def minimal(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {
        "name": "small",
        "regimes": [50],
        "claims": {"regime": 50},
        "generators": [{"name": "markov", "backend": "markov"}],
    }
    return values | changes


@pytest.mark.parametrize("name", ["full", "smoke"])
def test_shipped_designs_load_and_every_generator_has_a_backend(name: str) -> None:
    design, profile = load_design(name), load_profile("embedded")
    assert {profile.behind(g).backend for g in design.generators} <= set(BACKENDS.names())


def test_the_digest_names_the_design() -> None:
    assert load_design("full").digest == load_design("full").digest != load_design("smoke").digest


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"regimes": [100, 50]}, "ascending"),
        ({"regimes": [50, 9000]}, "larger than the train pool of 4000"),
        ({"regimes": [5], "claims": {"regime": 5}}, "too small for 5 folds"),
        ({"claims": {"regime": 60}}, "claims.regime 60"),
        ({"claims": {"regime": 50, "family": "bert"}}, "claims.family 'bert'"),
        ({"claims": {"regime": 50, "generators": ["gpt"]}}, "no arm at regime 50"),
        ({"generators": []}, "distinct names"),
        ({"generators": [{"name": f"g{i}", "backend": "x"} for i in range(13)]}, "at most 12"),
        ({"generators": [{"name": "m", "scope": "regime"}]}, "list regimes exactly when"),
        ({"generators": [{"name": "m", "families": ["bert"]}]}, "family 'bert' is not among the design's"),
        (
            {
                "claims": {"regime": 50, "family": "frozen_encoder"},
                "generators": [{"name": "m", "embedded": False}],
            },
            "'m' has no arm in the family 'frozen_encoder'",
        ),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("[", r"\[")):
        Design(**minimal(**changes))  # type: ignore[arg-type]


def test_a_typo_is_answered_with_the_known_keys(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('name = "x"\nreplicate = 3\n[[generators]]\nname = "g"\nbackend = "markov"\n')
    with pytest.raises(InvalidInputError, match=r"replicate.*known keys.*replicates") as error:
        load_design(str(path))
    assert error.value.field == "replicate"


def test_unknown_names_and_broken_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="full, inversion, paper, smoke"):
        load_design("fulll")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(InvalidInputError, match="not TOML"):
        load_design(str(broken))


def test_a_generator_without_backend_says_where_to_name_one() -> None:
    design = Design(**minimal(generators=[{"name": "gpt"}]))  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="'gpt' has no backend"):
        load_profile("embedded").behind(design.generators[0])
