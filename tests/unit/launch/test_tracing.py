import pandas as pd

from synthtrial.tracing import matching_cells

MEASUREMENTS = pd.DataFrame(
    {"cell_id": ["a" * 64, "a" * 64, "b" * 64], "value": [0.41236, None, 0.41242], "metric": ["micro_f1"] * 3}
)


def test_a_printed_number_finds_every_cell_that_rounds_to_it() -> None:
    assert matching_cells("0.4124", MEASUREMENTS) == ["a" * 64, "b" * 64]
    assert matching_cells("0.41236", MEASUREMENTS) == ["a" * 64]


def test_the_beginning_of_an_id_is_enough() -> None:
    assert matching_cells("bbbbbb", MEASUREMENTS) == ["b" * 64]


def test_what_is_neither_finds_nothing() -> None:
    assert matching_cells("micro", MEASUREMENTS) == []
