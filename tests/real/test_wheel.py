"""The wheel: built from this tree, installed in a folder of its own, and used without a clone."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import fetch

ROOT = Path(__file__).parents[2]
LABS = ROOT / "labs"


def pip(*words: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, by the build tool that is installed here, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Install the wheel, but nothing that it needs, and return the environment in which it is found first."""
    site = tmp_path_factory.mktemp("a site")
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    jupyter = {
        name: str(site / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    return (
        os.environ | jupyter | {"PYTHONPATH": str(site), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    )


def chatsys(*words: object) -> list[str]:
    return [sys.executable, "-m", "chatsys", *map(str, words)]


def test_the_wheel_has_every_file_of_the_package_and_every_notebook(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "chatsys", "notebooks"], cwd=ROOT, capture_output=True, text=True)
    names = [name for name in listed.stdout.splitlines() if name != "notebooks/instructor.ipynb"]  # it needs the keys
    wanted = {name if name.startswith("chatsys/") else f"chatsys/{name}" for name in names}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert wanted and packed == wanted
    assert not any(word in name for name in packed for word in ("keys/", "source/", "secret"))


def test_a_world_and_a_demo_run_from_the_wheel(installed: dict[str, str], tmp_path: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import chatsys; print(chatsys.__file__)"], env=installed, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "a site" in where.stdout
    done = subprocess.run(
        chatsys("demo", "--where", "processes", "--json"),
        env=installed,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["violations"] == []


@pytest.fixture
def server(installed: dict[str, str], tmp_path: Path, free_ports: list[int]) -> Iterator["subprocess.Popen[str]"]:
    """`chatsys lab` in an empty folder."""
    command = chatsys("lab", "--no-browser", "--port", free_ports[0])
    running = subprocess.Popen(command, env=installed, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    yield running
    running.kill()
    running.communicate()


def test_the_lab_opens_the_tour_in_a_folder_without_a_clone(server: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert server.stderr is not None
    found = next(
        found for line in server.stderr if (found := re.search(r"(http://127\S+?:\d+)(/lab\S+)\?token=(\w+)", line))
    )
    host, page, token = found.groups()
    assert page == "/lab/tree/chatsys-notebooks/00-tour.ipynb"
    tour = fetch(f"{host}/api/contents/chatsys-notebooks/00-tour.ipynb?token={token}")
    assert any("import chatsys" in cell["source"] for cell in tour["content"]["cells"])
    assert (tmp_path / "chatsys-notebooks" / "images" / "tour.png").is_file()


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """Return the notebook with all right answers, in an empty folder."""
    notebook = tmp_path / "ann.ipynb"
    notebook.write_bytes((LABS / "source" / "03-total-order" / "03-total-order.ipynb").read_bytes())
    return notebook


@pytest.mark.parametrize("options", [[], ["--public"]])
def test_no_notebook_is_graded_without_the_folder_of_the_course(
    installed: dict[str, str], handed_in: Path, options: list[str]
) -> None:
    """The wheel has neither the source notebooks nor the keys, so that its users can read neither."""
    done = graded(installed, handed_in, *options)
    assert done.returncode == 2 and "with --course the labs folder of your clone." in done.stderr


def test_notebooks_are_graded_from_the_wheel_with_the_labs_folder_given(
    installed: dict[str, str], handed_in: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret of the tests, which is long enough")
    for options, most in (([], 90), (["--public"], 40)):  # with predictions and tests
        done = graded(installed, handed_in, "--course", LABS, "--secret", secret, *options)
        assert done.returncode == 0, done.stderr
        (mark,) = json.loads(done.stdout).values()
        assert mark["score"] == mark["max_score"] == most


def graded(installed: dict[str, str], notebook: Path, *options: object) -> "subprocess.CompletedProcess[str]":
    command = chatsys("grade", notebook, "--lab", "03-total-order", "--json", *options)
    return subprocess.run(
        command, env=installed, cwd=notebook.parent, capture_output=True, text=True, timeout=300, check=False
    )
