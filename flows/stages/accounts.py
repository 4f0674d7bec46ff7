"""Accounts of written corpora, as the store keeps them."""

from collections.abc import Mapping
from typing import Any

from flows.stages.accounting import CorpusKey, Screened, Written
from flows.stages.context import Study
from services.domain.corpus import Corpus
from services.domain.task import Task


def account(study: Study, key: CorpusKey, task: Task, requested: int, screened: Screened) -> Written:
    """Store what was kept of some candidates and return the account of all of them."""
    corpus = Corpus(task, screened.kept) if screened.kept else None
    return Written(
        key=key,
        corpus=study.store.put_corpus(corpus).sha256 if corpus else "",
        document_count=len(screened.kept),
        requested=requested,
        rejected=screened.rejected,
        failed=screened.failed,
        flagged=screened.flagged,
        exhausted=len(screened.kept) < study.design.documents_of(study.design.generator(key.generator)),
        examples=screened.examples,
    )


def read_account(values: Mapping[str, Any]) -> Written:
    """Return an account as it was stored."""
    return Written(**{**values, "key": CorpusKey(**values["key"])})


def is_whole(study: Study, written: Written) -> bool:
    """Say whether an account's corpus is still there; one that was damaged and set aside is written anew."""
    return not written.corpus or study.store.objects.has(written.corpus)
