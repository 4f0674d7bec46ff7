"""Benchmarks' tables on the page that shows them: each between two markers of its own."""

import os
import re
import subprocess
from pathlib import Path

from flows.environment import processor

ROOT = Path(__file__).parents[2]


def place() -> str:
    """Return where and on what revision the benchmarks run."""
    return f"{processor()} ({len(os.sched_getaffinity(0))} cores, one used), commit {_commit()}"


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with a benchmark's part replaced and all else as it was.

    Raises:
        ValueError: The page has not exactly one pair of the benchmark's markers.
    """
    start, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs one {start!r} with one {end!r} after it")
    return pattern.sub(lambda _: f"{start}\n\n{text}\n\n{end}", page)


def _commit() -> str:
    """Return the short hash of HEAD, with a plus where tracked files differ from it."""
    try:
        found = _git("rev-parse", "--short", "HEAD")
        return found + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
