import io
import json
import os
from pathlib import Path

import pytest

from synthtrial.launching.progress import Lines, Progressed, as_duration, read_newest


def progressed(done: float, started_done: float = 0.0) -> Progressed:
    return Progressed(done, 100.0, "training", started_done, started_time=1000.0)


def test_time_left_is_taken_from_this_runs_own_work() -> None:
    # 60 were found done; 10 took 20 s, so the remaining 30 take 60 s.
    assert progressed(70, started_done=60).remaining_seconds(now=1020.0) == pytest.approx(60.0)


def test_time_left_is_unknown_before_anything_is_done() -> None:
    assert progressed(60, started_done=60).remaining_seconds(now=1020.0) is None


def test_nothing_is_left_at_the_end() -> None:
    assert progressed(100, started_done=100).remaining_seconds(now=1020.0) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert as_duration(seconds) == text


def test_without_a_terminal_there_is_one_line_per_tenth() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    for done in range(101):
        lines.show(progressed(done), now=1000.0 + done)
    assert len(stream.getvalue().splitlines()) == 11
    assert "50 %: training, about 50 s left" in stream.getvalue()


def test_progress_of_an_earlier_run_is_not_shown(tmp_path: Path) -> None:
    record = {"done": 1, "total": 2, "activity": "x", "started_done": 0, "started_time": 3.0}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(record))
    os.utime(path, (500, 500))
    assert read_newest(tmp_path, since=600) is None
    assert read_newest(tmp_path, since=400) == Progressed(1.0, 2.0, "x", 0.0, 3.0)


def test_a_half_readable_progress_file_shows_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"done": 1}')
    assert read_newest(tmp_path, since=0) is None
