import pytest

from flows.auditing.corpora import build_corpora
from flows.auditing.forecast import assumed_effect, forecast
from flows.auditing.options import AuditOptions, options_of
from flows.auditing.preflight import preflight
from flows.auditing.records import Tables
from flows.auditing.screening import screen_file
from services.domain.errors import InvalidInputError
from tests.unit.audit.tables import plain_rows, record, tables

OPTIONS = AuditOptions()
GENERATED = plain_rows(40, "written")


def _texts(found: Tables, subject: str, level: str = "") -> str:
    corpora = build_corpora(found)
    findings = preflight(found, corpora, forecast(corpora, OPTIONS), OPTIONS)
    return " / ".join(f.text for f in findings if f.subject == subject and level in ("", f.level))


def test_guessed_columns_are_shown() -> None:
    assert "real: 6 rows; text = 'text' (guessed), labels = 'labels' (guessed), id = 'id'" in _texts(
        tables(plain_rows(6), gpt=GENERATED), "columns"
    )


def test_labels_are_counted() -> None:
    assert (
        "single-label task (guessed from the real documents), 2 labels, 1.00 per document: a 3, b 3"
        in _texts(tables(plain_rows(6), gpt=GENERATED), "labels")
    )


def test_duplicates_with_different_labels_are_a_warning() -> None:
    rows = [*plain_rows(6), record(6, "TEXT number 0", "b")]
    assert "1 of these groups hold the same text with different labels" in _texts(
        tables(rows, gpt=GENERATED), "duplicates", "warning"
    )


def test_overlaps_between_files_are_counted() -> None:
    test = [*plain_rows(4, "other"), record(4, "text number 2", "a")]
    written = [*GENERATED, record(40, "Text  number 1", "a"), record(41, "other number 3", "b")]
    found = _texts(tables(plain_rows(6), test, gpt=written), "overlap")
    assert "1 real documents belong to a family of the test file" in found
    assert "gpt: 1 rows equal a real document and 1 a test document; they will be rejected" in found


def test_labels_that_only_a_synthetic_file_has_are_a_warning_and_rejected() -> None:
    strange = [record(40, "a text", "aa"), record(41, "b text", "zebra", "a"), record(42, None, "cobra")]
    found = tables(
        plain_rows(6, labels=("aaa", "b")), gpt=[*plain_rows(4, "written", ("aaa", "b")), *strange]
    )
    assert _texts(found, "labels", "warning") == (
        "gpt: 3 labels that no real document has: 'a' (1 row), 'aa' (1 row; did you mean 'aaa'?), 'zebra' (1 "
        "row); 2 of 7 rows have one and will be rejected (label_outside_taxonomy), whatever other labels they have"
    )
    corpora = build_corpora(found)
    assert screen_file(corpora.files[0], corpora).reasons["label_outside_taxonomy"] == 2


def test_rare_labels_are_not_called_unknown() -> None:
    found = tables(
        [*plain_rows(6), record(6, "a rare text", "rare")], gpt=[*GENERATED, record(40, "x", "rare")]
    )
    assert "no real document has" not in _texts(found, "labels")


@pytest.mark.parametrize(
    ("count", "words"),
    [(99, "too few for a verdict, which takes 100"), (100, "a small test"), (200, "200 families")],
)
def test_the_size_of_the_test_is_judged(count: int, words: str) -> None:
    assert words in _texts(tables(plain_rows(6), plain_rows(count, "test"), gpt=GENERATED), "test")


def test_without_a_test_file_cross_fitting_is_announced() -> None:
    assert "5-fold cross-fitting by family tests every real document once" in _texts(
        tables(plain_rows(200), gpt=GENERATED), "test"
    )


def test_the_detectable_effect_says_that_it_is_a_formula() -> None:
    assert "no pilot was run" in _texts(tables(plain_rows(300), gpt=GENERATED), "power")


def test_no_effect_is_promised_where_there_is_no_verdict() -> None:
    assert _texts(tables(plain_rows(30), gpt=GENERATED), "power") == ""


def test_a_larger_test_and_fewer_claims_find_smaller_effects() -> None:
    few, many = assumed_effect(600, 200, 8, 2), assumed_effect(600, 2000, 8, 2)
    assert 0 < many < few
    assert assumed_effect(600, 200, 8, 1) < few


def test_cross_fitting_fits_folds_times_as_many_models() -> None:
    with_test = build_corpora(tables(plain_rows(300), plain_rows(200, "test"), gpt=GENERATED))
    without = build_corpora(tables(plain_rows(300), gpt=GENERATED))
    assert forecast(without, OPTIONS).fits == 5 * forecast(with_test, OPTIONS).fits


def test_more_files_than_claims_are_refused() -> None:
    found = tables(plain_rows(6), **{f"gpt{i}": plain_rows(2, f"written {i}") for i in range(13)})
    corpora = build_corpora(found)
    with pytest.raises(InvalidInputError, match="13 synthetic files; every file is a claim"):
        preflight(found, corpora, forecast(corpora, OPTIONS), OPTIONS)


def test_both_readings_of_a_file_are_foreseen_as_tests() -> None:
    corpora = build_corpora(tables(plain_rows(300), gpt=GENERATED))
    assert forecast(corpora, OPTIONS).detectable == assumed_effect(200, 300, OPTIONS.replicates, 2)


def test_the_encoder_suits_the_family() -> None:
    assert AuditOptions().encoder == "lsa"
    assert AuditOptions(family="frozen_encoder").encoder == "minilm"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"family": "nonsense"}, "no 'nonsense'; there are"),
        ({"family": "tfidf", "encoder": "lsa"}, "no 'tfidf'; there are: .*; did you mean 'tfidf_linear'?"),
        (
            {"encoder": "lsaa"},
            "no 'lsaa'; there are: lsa, minilm, minilm_int8, minilm_lsa; did you mean 'lsa'?",
        ),
        ({"replicate": 3}, "no setting 'replicate'; .*did you mean 'replicates'?"),
        ({"twin": 3}, "no setting 'twin'; there are: family"),
        ({"margin": 1.5}, "margin must be between 0 and 1, not 1.5"),
        ({"replicates": 1}, "replicates must be at least 2"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        options_of(settings)
