"""What the documentation shows: its pages and the files that stand in them."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"

# A path in bold on a line of its own, and the file below it.
FILE = re.compile(r"^\*\*`([\w./-]+\.\w+)`\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """Return every page's text by name."""
    return {page.name: page.read_text() for page in sorted(DOCS.glob("*.md"))}


@cache
def shown_files() -> Mapping[str, str]:
    """Return all files that stand whole on a page, by path; a path shown twice is a mistake."""
    found = [file for text in pages().values() for file in FILE.findall(text)]
    assert len(dict(found)) == len(found)
    return MappingProxyType(dict(found))


def shown_plugins() -> dict[str, str]:
    """Return the files of the plug-in folder, as `<kind>/<name>.py`."""
    return {path: text for path, text in shown_files().items() if path.endswith(".py") and "/" in path}


def readme_condition() -> str:
    """Return the condition that the README shows."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    (found,) = (block for block in blocks if "CONDITIONS.register" in block)
    return str(found)


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return BLOCK.sub("", text)


def code() -> list[str]:
    """Return every code block and every code span of the pages, the README and CONTRIBUTING."""
    texts = [*pages().values(), README.read_text(), (ROOT / "CONTRIBUTING.md").read_text()]
    spans = [" ".join(span.split()) for text in texts for span in re.findall(r"`([^`]+)`", prose(text))]
    return [block for text in texts for block in BLOCK.findall(text)] + spans
