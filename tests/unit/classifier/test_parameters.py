"""Parameters are read strictly and describe themselves."""

import pytest

from services.classifier.families.tfidf_linear import TfidfParameters
from services.classifier.parameters import parameters_schema, read_parameters
from services.domain.errors import InvalidInputError


def test_missing_ones_have_defaults_and_integers_pass_as_numbers() -> None:
    assert read_parameters(TfidfParameters, {"C": 3}, "tfidf_linear") == TfidfParameters(C=3.0)


def test_unknown_one_names_the_known_ones() -> None:
    with pytest.raises(InvalidInputError, match="has no parameter 'c'; it has: C, min_df, ngrams") as caught:
        read_parameters(TfidfParameters, {"c": 3}, "tfidf_linear")
    assert caught.value.field == "parameters.c"


@pytest.mark.parametrize("given", [{"C": "10"}, {"C": True}, {"ngrams": 1.5}, {"C": None}])
def test_wrong_types_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=r"is (number|integer)"):
        read_parameters(TfidfParameters, given, "tfidf_linear")


@pytest.mark.parametrize("given", [{"C": 0}, {"C": -1.0}, {"ngrams": 0}, {"min_df": 0}, {"C": float("nan")}])
def test_values_out_of_range_are_refused(given: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="above 0"):
        read_parameters(TfidfParameters, given, "tfidf_linear")


def test_schema_lists_types_and_defaults() -> None:
    schema = parameters_schema(TfidfParameters)
    assert schema["properties"]["C"] == {"type": "number", "default": 10.0}
    assert schema["additionalProperties"] is False
