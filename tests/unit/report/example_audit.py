"""EXAMPLE numbers for an audit's report: made up, measured nowhere."""

from flows.report.inputs import AuditedFile, AuditInput, Distance, Example, Finding, Reading, Worth
from tests.unit.report.example import example_environment
from tests.unit.report.example_contrasts import MARGIN


def example_audit() -> AuditInput:
    """A plausible audit of two files. Nothing in it was measured."""
    return AuditInput(
        title="EXAMPLE: are gpt.csv and llama.jsonl worth training on?",
        facts={
            "Real": "train.csv, 1,000 documents",
            "Test": "test.csv, 420 families",
            "Family": "tfidf_linear",
        },
        findings=(
            Finding("ok", "Columns", "text = 'abstract', labels = 'cpc', guessed"),
            Finding(
                "warning", "Duplicates", "12 documents of gpt.csv are copies of test documents: rejected"
            ),
            Finding(
                "note", "Power", "minimum detectable effect 0.021 with 8 replicates and 420 test families"
            ),
        ),
        files=(_audited("gpt.csv", "better", 0.034), _audited("llama.jsonl", "inconclusive", 0.006)),
        margin=MARGIN,
        score="micro_f1",
        environment=example_environment(),
    )


def _audited(name: str, verdict: str, effect: float) -> AuditedFile:
    titles = (("this file", True, 1, 3000), ("this generator", False, 8, 375))
    readings = tuple(_reading(t, verdict, effect / (1 + i), c, r, n) for i, (t, c, r, n) in enumerate(titles))
    text = "A hearing aid with a microphone array and an earpiece that can be worn at night."
    leaked = Example("rejected", "copy_of_test", text, "T-00042", text.replace("array", "line"), 0.91)
    return AuditedFile(
        name=name,
        readings=readings,
        worth=Worth(667, 40.0, 12.0, 96.0, False, False, 333.0, "") if verdict == "better" else None,
        worth_note="" if verdict == "better" else "the left-out third has fewer than 100 documents",
        distances=(
            Distance("mmd2", 0.0123, 0.0004, 0.0404, 0.297, 1000, ""),
            Distance("chamfer", None, None, None, None, 0, "needs an encoder"),
        ),
        requested=3000,
        accepted=2950,
        rejected=45,
        failed=5,
        reasons={"copy_of_test": 12, "near_duplicate": 33},
        examples=(leaked,),
    )


def _reading(
    title: str, verdict: str, effect: float, conditional: bool, replicates: int, rows: int
) -> Reading:
    return Reading(
        title=title,
        verdict=verdict,
        effect=effect,
        low95=effect - 0.012,
        high95=effect + 0.012,
        low90=effect - 0.01,
        high90=effect + 0.01,
        adjusted_p_value=0.004,
        mde=0.021,
        replicate_count=replicates,
        test_family_count=420,
        real_documents=1000 if conditional else 667,
        synthetic_documents=rows,
        treatment_mean=0.41 + effect,
        control_mean=0.41,
        conditional=conditional,
        note="",
    )
