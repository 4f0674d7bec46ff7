"""Documents that all have the same labels: there is nothing to tell apart, and the audit says so first."""

import pytest

from flows.auditing.checks import require_common_labels, require_several_labels
from flows.auditing.corpora import build_corpora
from services.domain.errors import InvalidInputError
from tests.unit.audit.tables import plain_rows, record, tables


@pytest.mark.parametrize("labels", [("cane",), ("cane", "lamp")])
def test_one_label_set_everywhere_is_refused(labels: tuple[str, ...]) -> None:
    rows = [record(i, f"text number {i}", *labels) for i in range(10)]
    with pytest.raises(
        InvalidInputError, match=r"have the same labels, 'cane'.*every score would be 1; give"
    ) as caught:
        build_corpora(tables(rows, rows[:4], gpt=rows[5:]))
    assert caught.value.field == "labels"


def test_a_second_label_set_will_do() -> None:
    require_several_labels(tables([record(0, "one", "cane"), record(1, "two", "cane", "lamp")]))
    require_several_labels(tables([record(0, "one", "cane")], [record(1, "two", "lamp")]))


def test_endless_names_are_shown_in_part() -> None:
    endless = tables(plain_rows(4, labels=("cane" * 5000, "lamp" * 5000)), gpt=plain_rows(4))
    with pytest.raises(InvalidInputError, match="no label of gpt is a label of") as caught:
        require_common_labels(endless)
    assert len(caught.value.message) < 500
    assert "…" in caught.value.message
