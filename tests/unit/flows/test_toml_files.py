"""Design files as strangers write them: read whatever the editor, and told in words what is wrong."""

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator

from flows.toml_files import checked, read_toml
from services.domain.errors import InvalidInputError, NotFoundError

SMOKE = (resources.files("flows") / "designs" / "smoke.toml").read_text()


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    strategy: str = ""


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")
    replicates: int = Field(8, ge=1)
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] = Field(default_factory=dict)
    one: Part | None = None

    @model_validator(mode="after")
    def _check(self) -> "Whole":
        if self.replicates > 64:
            raise ValueError(f"64 replicates at most, not {self.replicates}")
        return self


def written(folder: Path, content: bytes) -> str:
    (folder / "mine.toml").write_bytes(content)
    return str(folder / "mine.toml")


@pytest.mark.parametrize(
    "content",
    [SMOKE.encode(), b"\xef\xbb\xbf" + SMOKE.encode(), SMOKE.replace("\n", "\r\n").encode()],
    ids=["plain", "with a mark", "with carriage returns"],
)
def test_editors_make_no_difference(content: bytes, tmp_path: Path) -> None:
    assert read_toml("designs", written(tmp_path, content)) == read_toml("designs", "smoke")


def test_a_file_of_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    name = written(tmp_path, "# Every\n# Étude\n".encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"mine\.toml:2: not UTF-8 \(byte 10\); save or convert"):
        read_toml("designs", name)


def test_what_is_no_toml_or_no_file_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="is not TOML") as caught:
        read_toml("profiles", written(tmp_path, b"[["))
    assert caught.value.field == "profile"
    with pytest.raises(NotFoundError, match=r"no design 'smok': .*did you mean 'smoke'"):
        read_toml("designs", "smok")


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        (
            {"replicats": 1},
            "replicats",
            "no such key; known keys: named, one, parts, replicates; did you mean 'replicates'?",
        ),
        (
            {"parts": [{"name": "a"}, {"name": "b", "strateggy": "x"}]},
            "parts.1.strateggy",
            "known keys: name, strategy; did",
        ),
        ({"named": {"a": {"name": "a", "nam": 1}}}, "named.a.nam", "known keys: name, strategy"),
        ({"one": {"name": "a", "other": 1}}, "one.other", "known keys: name, strategy"),
        ({"replicates": 0}, "replicates", "mine: replicates: Input should be greater than or equal to 1"),
        ({"replicates": 65}, "", "mine: 64 replicates at most, not 65"),
        ({"parts": [{}]}, "parts.0.name", "parts.0.name: Field required"),
    ],
)
def test_the_first_wrong_key_is_told_with_those_that_stand_there(
    values: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        checked(Whole, values, "mine")
    assert caught.value.field == field
    assert says in caught.value.message
    assert "Value error" not in caught.value.message


def test_sound_values_are_given_back() -> None:
    values: dict[str, Any] = {"replicates": 3, "parts": [{"name": "a"}]}
    assert checked(Whole, values, "mine") is values
