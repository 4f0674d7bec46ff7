"""What synthetic files are worth: from a notebook, and as a command."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.domain.errors import StudyError
from services.storage.tabular import ACCEPTED
from synthtrial.arguments import Arguments

if TYPE_CHECKING:
    import pandas as pd

    from flows.auditing.options import AuditOptions
    from flows.auditing.result import AuditResult

BAD_INPUT = 2
INTERRUPTED = 130


def audit(
    real: "pd.DataFrame | str | Path",
    synthetic: "Mapping[str, pd.DataFrame | str | Path] | pd.DataFrame | str | Path | Sequence[str | Path]",
    test: "pd.DataFrame | str | Path | None" = None,
    *,
    columns: Mapping[str, Any] | None = None,
    options: "AuditOptions | None" = None,
    store: str | Path | None = None,
    output: str | Path | None = None,
    quiet: bool = False,
    **settings: Any,
) -> "AuditResult":
    """Audit synthetic documents against real ones.

    Args:
        real: Frame or file with a text and a labels column.
        synthetic: Frames or files by name; a single frame is called "synthetic", and files go by their names.
        test: Frame or file; without one, the real documents test themselves by cross-fitting.
        columns: Column names by role (text, labels, separator, id, family, source); what is not
            given is guessed and shown.
        options: All settings at once; see `flows.auditing.options.AuditOptions`.
        store: Folder in which results are kept for a later audit; None keeps nothing.
        output: Folder for audit.html and audit.md; None writes nothing.
        quiet: Print nothing.
        settings: Single settings, such as family="frozen_encoder" or replicates=8.

    Raises:
        StudyError: What was wrong with the input, and what would do.
    """
    from rich.console import Console

    from flows.auditing.options import options_of
    from flows.auditing.session import audit_tables

    return audit_tables(
        real,
        test,
        synthetic,
        columns or {},
        options or options_of(settings),
        store=Path(store) if store else None,
        output=Path(output) if output else None,
        console=Console(quiet=quiet),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 2 for bad input, 130 after Ctrl-C."""
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except StudyError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _run(given: argparse.Namespace) -> None:
    from flows.auditing.loading import file_names

    named = file_names(given.synthetic)
    audit(
        given.real,
        named,
        given.test,
        columns=_columns(given),
        store=given.store,
        output=given.output or f"audit-{'-'.join(named)}",
        family=given.family,
        encoder=given.encoder,
        replicates=given.replicates,
        folds=given.folds,
        margin=given.margin,
        seed=given.seed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="synthtrial audit",
        description="Say whether synthetic files help a classifier, or only make its training set bigger.",
    )
    parser.add_argument("--real", required=True, help=f"labelled real documents ({ACCEPTED})")
    parser.add_argument("--test", help="held-out real documents; without them, cross-fitting by family")
    parser.add_argument("--synthetic", required=True, nargs="+", help="one file per generator")
    for role, what in COLUMN_ROLES.items():
        also = ALSO_CALLED.get(role, ())
        parser.add_argument(f"--{role}-column", *also, help=f"{what} (default: guessed)")
    parser.add_argument("--label-separator", help="between labels of one document (default: guessed)")
    parser.add_argument("--family", default="tfidf_linear", help="classifier family (default: tfidf_linear)")
    parser.add_argument(
        "--encoder",
        default="",
        help="lsa, minilm, minilm_int8 or another (default: lsa, minilm for frozen_encoder)",
    )
    parser.add_argument("--replicates", type=int, default=8, help="redraws of this generator (default: 8)")
    parser.add_argument("--folds", type=int, default=5, help="for thresholds and cross-fitting (default: 5)")
    parser.add_argument(
        "--margin", type=float, default=0.02, help="differences that do not matter (default: .02)"
    )
    parser.add_argument("--seed", type=int, default=2605)
    parser.add_argument(
        "--store", help="folder that keeps results for a later audit (default: nothing is kept)"
    )
    parser.add_argument("--output", help="folder of the report (default: ./audit-<names>)")
    return parser


COLUMN_ROLES = {
    "text": "the document",
    "labels": "its label or labels",
    "id": "its identifier",
    "family": "documents that belong together, such as a patent family",
    "source": "in synthetic files: the identifier of the real document it was written from",
}

# What people write who have one label per document.
ALSO_CALLED = {"labels": ("--label-column",)}


def _columns(given: argparse.Namespace) -> dict[str, str]:
    named = {role: getattr(given, f"{role}_column") for role in COLUMN_ROLES}
    named["separator"] = given.label_separator
    return {role: value for role, value in named.items() if value is not None}
