"""A class is graded by the workers of a real dask scheduler, and a scheduler that goes away is one sentence."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatsys.errors import ChatsysError
from chatsys.teach.classroom import cluster
from chatsys.teach.classroom.cluster import on_scheduler
from chatsys.teach.classroom.jobs import Job, Setting

LAB = "03-total-order"
LABS = Path(__file__).parents[2] / "labs"
STARTING = 60.0


def started(*words: str, says: str, folder: Path) -> tuple["subprocess.Popen[str]", str]:
    """Start a command of dask's, wait until it says something of this form, and return it with what it said."""
    code = "from distributed.cli import dask_{0}; dask_{0}.main(auto_envvar_prefix='DASK')".format(words[0])
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words[1:]], cwd=folder, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env=os.environ | {"DASK_DISTRIBUTED__DASHBOARD__LINK": ""},
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(says, line):
            return process, found[0]
    raise AssertionError(f"{words} ended and did not say {says}")


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A scheduler with one worker, and its address."""
    here = ("--host", "127.0.0.1", "--no-dashboard")
    process, address = started("scheduler", *here, "--port", "0", says=r"tcp://127\.0\.0\.1:\d+", folder=tmp_path)
    worker, _ = started("worker", address, *here, "--nthreads", "1", says=r"Registered to", folder=tmp_path)
    yield process, address
    for one in (worker, process):
        one.kill()
        one.wait()
        assert one.stderr is not None
        one.stderr.close()


def test_the_marks_of_a_worker_are_those_of_this_machine_and_a_lost_scheduler_is_told(
    scheduler: tuple["subprocess.Popen[str]", str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, address = scheduler
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    (tmp_path / "secret").write_text("the secret of the tests, which is long enough")
    setting = Setting(lab=LAB, course=str(LABS), secret=str(tmp_path / "secret"))
    source = LABS / "source" / LAB / f"{LAB}.ipynb"
    marks = on_scheduler(address)([Job(key=name, path=str(source), student=name) for name in ("ann", "bob")], setting)
    first, mark = next(marks)
    assert first in ("ann", "bob") and mark["score"] == mark["max_score"] == 90
    process.kill()
    with pytest.raises(
        ChatsysError, match=rf"The scheduler at {address} is gone.*; what was graded is kept\. Start it"
    ):
        list(marks)
