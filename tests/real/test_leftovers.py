"""What a process leaves that was killed: its temporary folders are removed by the next one, and nobody else's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from chatsys.locks import lock
from chatsys.temporary import remove, sweep, temporary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")

CLUSTER = "from chatsys.runtime.cluster import Cluster; cluster = Cluster(); print(1, flush=True); input()"
FOLDER = "from chatsys.temporary import temporary; temporary(); print(1, flush=True); input()"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


@contextmanager
def running(code: str) -> "Iterator[subprocess.Popen[bytes]]":
    """Yield a process that has made what it makes, and kill it in the end."""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def folders(place: Path) -> set[str]:
    return {path.name for path in place.iterdir() if path.is_dir()}


def test_the_folder_of_a_killed_cluster_is_gone_by_the_next_start(place: Path) -> None:
    with running(CLUSTER):
        left = folders(place)
    assert len(left) == 1 and (place / left.pop() / "node1").is_dir(), "nobody could remove it"
    mine = temporary()
    assert folders(place) == {mine.name}
    remove(mine)
    assert list(place.iterdir()) == []


def test_the_folder_of_whoever_lives_stays_and_so_does_a_paused_ones(place: Path) -> None:
    mine = temporary()
    with running(FOLDER) as other:
        os.kill(other.pid, signal.SIGSTOP)
        assert sweep(place) == [] and len(folders(place)) == 2
    assert sweep(place) != [] and folders(place) == {mine.name}
    remove(mine)


def test_what_is_not_known_to_be_left_behind_is_not_touched(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = place / "kept"
    kept.mkdir()
    (place / "chatsys-of-an-older-version").mkdir()
    (place / "chatsys-link").symlink_to(kept)
    for name in ("chatsys-link.lock", "mine.lock"):
        (place / name).touch()
    (place / "chatsys-led.lock").symlink_to(kept / "nothing")
    before = sorted(place.iterdir())
    assert sweep(place) == [] and sorted(place.iterdir()) == before and kept.is_dir()
    (place / "chatsys-of-another-user").mkdir()
    (place / "chatsys-of-another-user.lock").touch()
    mine = os.getuid()
    with monkeypatch.context() as somebody:
        somebody.setattr(os, "getuid", lambda: mine + 1)
        assert sweep(place) == []
    assert sweep(place) == [place / "chatsys-of-another-user"]


def test_a_lock_without_a_folder_is_removed_and_a_folder_is_made_though_somebody_sweeps(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "chatsys-killed-between.lock").touch()
    swept: list[Path] = []

    def sweep_first(file: int, path: Path) -> bool:  # another process looks between the making and the locking
        if not swept:
            swept.append(path)
            path.unlink()
        return lock(file, path)

    monkeypatch.setattr("chatsys.temporary.lock", sweep_first)
    sweep(place)
    swept.clear()
    made = temporary()
    assert not swept[0].exists() and folders(place) == {made.name}
    assert Path(f"{made}.lock").exists(), "it has a lock of its own, which nobody has removed"
    remove(made)


def test_what_is_still_there_as_its_maker_ends_goes_with_it_though_somebody_pressed_ctrl_c_twice(place: Path) -> None:
    again = """
        from chatsys import temporary
        def interrupted(folder):
            raise KeyboardInterrupt
        whole, temporary._remove = temporary._remove, interrupted
        try:
            temporary.remove(temporary.temporary())
        except KeyboardInterrupt:
            temporary._remove = whole
        print(1, flush=True)
        input()
    """
    with running(dedent(again)) as process:
        assert len(folders(place)) == 1
        process.communicate(b"\n", timeout=10)
    assert list(place.iterdir()) == []
