"""What children do, by name."""

import dataclasses
import os
import resource
from collections.abc import Callable

from services.classifier.runs import RunRecord, RunState, TrainingRun
from services.domain.errors import StudyError
from services.storage.files import replace
from services.storage.store import Store
from tests.faults.hooks import Hooks, Lab
from tests.faults.workload import specification, work

NOBODY = 65534
# More than a key, less than the documents.
SMALL_FILE_BYTES = 1500


def study(lab: Lab, hooks: Hooks) -> None:
    """Do the work, with journal and fault, and note the measurements."""
    hooks.install()
    measurements = work(Store(lab.store), hooks.computing)
    hooks.note("finished", measurements=measurements.hex())


def small_files(lab: Lab, hooks: Hooks) -> None:
    """Do the work where the kernel refuses to let a file grow."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILE_BYTES, SMALL_FILE_BYTES))
    refused(hooks, "work", lambda: work(Store(lab.store)))


def reader(lab: Lab, hooks: Hooks) -> None:
    """Read everything as a user who may not write, then try to write."""
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    else:
        os.system(f"chmod -R a-w {lab.store}")
    store = Store(lab.store)
    hooks.note("read", measurements=work(store).hex())
    record = RunRecord(store)
    run = TrainingRun(dataclasses.replace(specification(store), seed=8).run_id, RunState.QUEUED)
    refused(hooks, "object", lambda: store.put_json("new"))
    refused(hooks, "key", lambda: store.publish({"new": 1}, store.put_json({"leaf": ""})))
    refused(hooks, "run", lambda: record.write(run))
    refused(hooks, "model", lambda: replace(store.root / "models" / "new.json", b"{}"))


def refused(hooks: Hooks, what: str, attempt: Callable[[], object]) -> None:
    """Note the error of something that must not work."""
    try:
        attempt()
    except StudyError as error:
        hooks.note("refused", what=what, kind=type(error).__name__, message=error.message)
