"""What the documentation says is so: links, commands, keys, examples, and a site that asks nobody."""

import importlib.util
import inspect
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

import flows.design
import synthtrial.cli
from flows.auditing.options import AuditOptions
from flows.cells import Grid
from flows.design import GeneratorDesign, load_design, load_profile
from flows.design_checks import MAXIMUM_CLAIMS
from flows.report.rendering import study_page
from flows.report.wording import VERDICT_MARKS
from flows.stages.context import plan_study
from services.evaluator.planning import Rules, Verdict
from services.generator.prompts import PromptFamily
from synthtrial.planning import plan
from tests.contract.documented import ROOT, code, pages, prose, readme_condition, shown_files, shown_plugins
from tests.unit.report.example import example_report

PATIENCE_SECONDS = 120
RESOURCES = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
KEYS = {
    "Design": "Keys of a design",
    "DatasetDesign": "Keys of `[dataset]`",
    "GeneratorDesign": "Keys of `[[generators]]`",
    "VariantDesign": "Keys of `[variants.<name>]`",
    "ClaimsDesign": "Keys of `[claims]`",
    "IllustrativeDesign": "Keys of `[illustrative]`",
    "Profile": "Keys of a profile",
    "GeneratorProfile": "Keys of `[generators.<name>]` in a profile",
    "DatasetProfile": "Keys of `[dataset]` in a profile",
}
MODELS = {
    name: model
    for name, model in inspect.getmembers(flows.design, inspect.isclass)
    if issubclass(model, BaseModel) and model.model_fields
}


def build(configuration: Path, site: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-f", str(configuration), "-d", str(site)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_rendered_and_every_link_between_pages_resolves(site: Path) -> None:
    # The configuration is strict: a link, an anchor or a page out of the navigation would have failed.
    assert {page.stem for page in site.glob("*.html")} == {Path(name).stem for name in pages()} | {"404"}


@pytest.mark.parametrize("target", ["lost.md", "limits.md#lost", "../README.md"])
def test_a_link_that_leads_nowhere_fails_the_site(target: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# One\n\n[a link]({target})\n")
    (tmp_path / "docs" / "limits.md").write_text("# Two\n")
    configuration = (ROOT / "mkdocs.yml").read_text().split("\nnav:")[0]
    (tmp_path / "mkdocs.yml").write_text(configuration)
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "lost" in done.stderr or "README" in done.stderr


class Wanted(HTMLParser):
    """Collects what a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        value = dict(attrs).get(RESOURCES.get(tag, ""))
        if value and not value.startswith("data:"):
            self.found.append(value)


def test_pages_ask_the_network_for_nothing(site: Path) -> None:
    for page in site.glob("*.html"):
        wanted = Wanted()
        wanted.feed(page.read_text())
        assert wanted.found
        for address in wanted.found:
            # The page for wrong addresses names its files from the root of a server.
            assert not re.match(r"[a-z]+:|//", address), f"{page.name}: {address}"
            assert (site / address.lstrip("/").split("?")[0]).is_file(), f"{page.name}: {address}"


def test_styles_and_scripts_ask_the_network_for_nothing(site: Path) -> None:
    styles, scripts = list(site.rglob("*.css")), list(site.rglob("*.js"))
    assert styles and scripts
    for file in styles:
        fetched = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)", file.read_text())
        assert not [address for address in fetched if re.match(r"https?:|//", address)], file.name
    for file in scripts:
        assert not re.search(r"[\"'`](?:https?:)?//\w", file.read_text()), file.name


@pytest.mark.parametrize("name", MODELS)
def test_every_key_of_a_file_is_explained_with_its_default(name: str) -> None:
    section = pages()["design-file.md"].split(f"## {KEYS[name]}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .+ \|$", section, re.MULTILINE)
    assert dict(rows) == {key: default_of(field) for key, field in MODELS[name].model_fields.items()}


def default_of(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "none"
    return "its own defaults" if isinstance(value, BaseModel) else f"`{as_toml(value)}`"


def as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(as_toml, value))}]" if isinstance(value, tuple) else str(value)


def shown(name: str, folder: Path) -> str:
    """Write a file that a page shows and return its path."""
    path = folder / name
    path.write_text(shown_files()[name])
    return str(path)


def test_every_design_and_profile_shown_loads(tmp_path: Path) -> None:
    names = [name for name in shown_files() if name.endswith(".toml") and "/" not in name]
    profiles = [name for name in names if "[services]" in shown_files()[name]]
    assert profiles and len(names) - len(profiles) >= 2
    for name in names:
        (load_profile if name in profiles else load_design)(shown(name, tmp_path))


def test_the_profile_shown_stands_behind_a_design_that_names_no_backends(tmp_path: Path) -> None:
    profile = load_profile(shown("my-profile.toml", tmp_path))
    design = load_design("smoke").model_copy(
        update={"generators": tuple(GeneratorDesign(name=name) for name in profile.generators)}
    )
    assert {profile.behind(g).backend for g in design.generators} == {"simulator", "corpus_file"}
    assert plan_study(design, profile, Grid(design, profile, {})).cells


@pytest.mark.parametrize("name", ["small.toml", "reviews.toml"])
def test_the_designs_shown_can_be_planned(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("reviews.csv", "first.jsonl", "second.jsonl"):
        Path(file).write_text("body,stars\nGood.,5\n")
    planned = plan(shown(name, tmp_path), store=tmp_path / "store")
    assert planned.cells and not planned.not_run
    assert len(planned.claims) == len(planned.design.claimed_generators)


def test_the_prompt_family_shown_has_the_slots_it_fills() -> None:
    text = shown_files()["prompt_families/obituary.toml"]
    family = PromptFamily(name="obituary", **tomllib.loads(text))
    slots = [re.findall(r"\{\w*\}", part) for part in (family.label_conditioned, family.paraphrase)]
    assert [sorted(found) for found in slots] == [["{exemplars}", "{subjects}"], ["{source}"]]
    assert not re.findall(r"\{\w*\}", family.system + family.exemplars)


def test_every_kind_of_module_has_a_whole_example() -> None:
    source = "".join(
        path.read_text() for room in ("services", "flows") for path in (ROOT / room).rglob("*.py")
    )
    kinds = set(re.findall(r"\] = Registry\(\s*\"(\w+)\"", source))
    assert len(kinds) >= 9
    assert {path.split("/")[0] for path in shown_plugins()} == kinds


def test_the_examples_are_written_as_the_repository_is(tmp_path: Path) -> None:
    for path, text in {**shown_plugins(), "conditions/readme.py": readme_condition()}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    for command in (["format", "--check", "--diff"], ["check"]):
        arguments = [*command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_make_target_named_exists() -> None:
    named = {target for text in code() for target in re.findall(r"\bmake ([a-z][a-z-]*)", text)}
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"study", "docs", "install"} <= named <= known


def test_every_module_that_is_run_exists() -> None:
    named = {name for text in code() for name in re.findall(r"python -m ([\w.]+\w)", text)}
    assert {"services.evaluator", "pytest"} <= named
    assert not [name for name in named if importlib.util.find_spec(name) is None]


def test_every_command_and_option_named_exists(capsys: pytest.CaptureFixture[str]) -> None:
    used: dict[str, set[str]] = {}
    for text in code():
        for command, rest in re.findall(r"\bsynthtrial ([a-z]+)\b([^\n#]*)", text):
            used.setdefault(command, set()).update(re.findall(r"--[a-z-]+", rest))
    assert {"audit", "plan", "study", "trace"} <= set(used)
    for command, options in used.items():
        said = help_of(command, capsys)
        assert not [option for option in options if option not in said], command


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        synthtrial.cli.main([command, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_every_path_and_variable_named_exists() -> None:
    rooms = "services|flows|synthtrial|tests|examples|protos|deploy"
    source = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    for name, text in pages().items():
        for path in re.findall(rf"`((?:{rooms})/[\w./-]+)`", prose(text)):
            assert (ROOT / path).exists(), f"{name}: {path}"
        for variable in re.findall(r"\bSYNTHTRIAL_[A-Z]+\b", text):
            assert f'"{variable}"' in source, f"{name}: {variable}"


def test_every_section_of_a_report_is_explained() -> None:
    titles = {section.title for section in study_page(example_report()).sections}
    explained = set(re.findall(r"^### (.+)$", pages()["reports.md"], re.MULTILINE))
    assert titles <= explained


def test_every_verdict_is_explained_and_has_its_mark() -> None:
    explained = re.findall(r"^\| \*\*([a-z ]+)\*\* \|", pages()["verdicts.md"], re.MULTILINE)
    assert sorted(explained) == sorted(Verdict)
    assert all(f"{VERDICT_MARKS[verdict]} {verdict}" in pages()["reports.md"] for verdict in Verdict)


def test_the_numbers_of_the_rules_are_those_in_force() -> None:
    text, rules = pages()["verdicts.md"], Rules()
    floors = f"{rules.minimum_replicates} replicates, {rules.minimum_families} test families or"
    assert f"fewer than {floors} {rules.minimum_positives} positive labels" in text
    assert f"verdicts from {AuditOptions().minimum_families} test families on" in text
    assert f'"small test" below {AuditOptions().full_test}' in text
    assert f"δ is the margin, {f'{rules.margin:g}'.lstrip('0')} unless" in text
    assert MAXIMUM_CLAIMS == rules.maximum_claims == 12 and "at most twelve" in text
