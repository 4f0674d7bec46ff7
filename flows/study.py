"""The flow: `prefect deployment run study/full`.

No postponed annotations here: Prefect reads the flow's signature at run time.
"""

from typing import Any

from prefect import flow, get_run_logger, unmapped
from prefect.artifacts import create_link_artifact, create_table_artifact
from prefect.task_runners import ThreadPoolTaskRunner

from flows import tasks
from flows.design import load_design, load_profile
from flows.run import StudyRun, open_run

PARALLEL = 2


RUNNER: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=PARALLEL)


@flow(name="study", persist_result=False, task_runner=RUNNER)  # type: ignore[arg-type]
def study(design: str = "full", profile: str = "embedded") -> str:
    """Run a whole study and return the path of its report.

    Args:
        design: A shipped design's name or the path of a TOML file.
        profile: A shipped profile's name or the path of a TOML file.
    """
    with open_run(load_design(design), load_profile(profile)) as run:
        return _stages(run)


def _stages(run: StudyRun) -> str:
    get_run_logger().info("%d cells in design %s", len(run.plan.cells), run.study.design.name)
    if not run.plan.is_empty:
        _work(run)
    path = tasks.report(run)
    create_table_artifact(key="study-verdicts", table=run.verdicts(), description="Declared claims")
    create_link_artifact(key="study-report", link=path.absolute().as_uri(), link_text="report")
    return str(path)


def _work(run: StudyRun) -> None:
    log = get_run_logger()
    replicates = list(range(run.study.design.replicates))
    tasks.load(run)
    tasks.write.map(unmapped(run), replicates).result()
    if run.needs_encoder():
        tasks.encode(run)
    missing = run.batches()
    log.info("%d batches to train, %d cells found in the store", len(missing), len(run.trained))
    if missing:
        tasks.train.map(unmapped(run), missing).result()
    if run.plan.searches:
        tasks.search.map(unmapped(run), replicates).result()
