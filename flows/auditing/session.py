"""An audit from files to its report."""

import platform
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console

from flows.auditing.corpora import Corpora, build_corpora
from flows.auditing.forecast import forecast
from flows.auditing.loading import Readable, load_tables
from flows.auditing.options import AuditOptions
from flows.auditing.preflight import preflight
from flows.auditing.records import Tables
from flows.auditing.result import AuditResult
from flows.auditing.running import Measured, measure
from flows.auditing.terminal import print_files, print_findings, progress_bar
from flows.report.inputs import AuditInput, Finding
from flows.report.rendering import render_audit
from services.storage.errors import require_writable

SCORE = "micro_f1"
PACKAGES = ("numpy", "scikit-learn", "scipy", "synthtrial", "torch")
CEILING = "real words with their letters shuffled"


def audit_tables(
    real: Readable,
    test: Readable | None,
    synthetic: object,
    given: Mapping[str, Any],
    options: AuditOptions,
    *,
    store: Path | None,
    output: Path | None,
    console: Console,
) -> AuditResult:
    """Audit synthetic files and write the report.

    Args:
        synthetic: A frame, a path, several paths, or frames or paths by name.
        given: Column names by role.
        store: Where results are kept for a later audit; None keeps nothing.
        output: Folder for audit.html and audit.md; None writes nothing.

    Raises:
        StudyError: What was wrong with the input, and what would do.
    """
    started = time.monotonic()
    for folder in filter(None, (store, output)):
        require_writable(folder)
    tables = load_tables(real, test, synthetic, given)
    corpora = build_corpora(tables)
    findings = preflight(tables, corpora, forecast(corpora, options), options)
    checked = round(time.monotonic() - started, 2)
    print_findings(console, findings)
    with ExitStack() as stack:
        root = store or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="synthtrial-audit-")))
        advance = stack.enter_context(progress_bar(console))
        measured = measure(corpora, options, root, advance)
    found = _found(tables, corpora, findings, measured, options, checked)
    print_files(console, found)
    result = _result(found, output, time.monotonic() - started)
    if output is not None:
        console.print(f"\nReport: {output / 'audit.html'} ({result.wall_seconds:.0f} s)", highlight=False)
    return result


def _result(found: AuditInput, output: Path | None, seconds: float) -> AuditResult:
    report = render_audit(found)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / "audit.html").write_text(report.html, encoding="utf-8")
        (output / "audit.md").write_text(report.markdown, encoding="utf-8")
    return AuditResult(found, report.html, report.markdown, output, seconds)


def _found(
    tables: Tables,
    corpora: Corpora,
    findings: tuple[Finding, ...],
    measured: Measured,
    options: AuditOptions,
    checked: float,
) -> AuditInput:
    return AuditInput(
        title=f"{', '.join(tables.synthetic)} against {tables.real.name}",
        facts=_facts(tables, corpora, options),
        findings=findings,
        files=measured.files,
        margin=options.margin,
        score=SCORE,
        environment=_environment({"preflight": checked, **measured.wall_seconds}, options),
    )


def _facts(tables: Tables, corpora: Corpora, options: AuditOptions) -> dict[str, str]:
    test = (
        f"{tables.test.name}, {len(corpora.tested):,} documents" if tables.test else "cross-fitting by family"
    )
    return {
        "Real documents": f"{tables.real.name}, {len(corpora.real):,} documents to train on",
        "Test": test,
        "Task": f"{corpora.task.type.value.replace('_', '-')}, {len(corpora.task.labels)} labels",
        "Classifier family": options.family,
        "Encoder": options.encoder,
        "This file": f"all accepted rows; real documents fixed; {options.twins} twins, averaged",
        "This generator": (
            f"{options.replicates} disjoint subsamples, each beside real documents redrawn at two thirds "
            "of their families"
        ),
        "Worth": "new real documents for the ruler come from the third that a replicate leaves out",
        "Distances": f"floor: real to real text; ceiling: {CEILING}{_seen(tables)}",
        "Margin": f"{options.margin:g}",
        "Seed": str(options.seed),
    }


def _seen(tables: Tables) -> str:
    return (
        ""
        if tables.test
        else "; there is no held-out text, so the writers may have seen what they are compared with"
    )


def _environment(seconds: Mapping[str, float], options: AuditOptions) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "encoder": {"name": options.encoder},
        "packages": {name: _version(name) for name in PACKAGES},
        "wall_seconds": dict(seconds),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
