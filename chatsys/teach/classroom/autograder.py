"""The autograder: a zip from which Gradescope makes a machine that grades one lab by itself.

    autograder.zip
        setup.sh              runs once, when the image is built: a Python, and packages in the tested versions
        run_autograder        runs for each submission: `on_gradescope`
        requirements.txt  constraints.txt
        chatsys/              the package, without the mutants
        labs/                 source, keys and kept versions of this lab, and the course's secret

Gradescope unpacks it to /autograder/source; students cannot download it (its page *Autograder specifications*).  Whoever
has the zip has the keys and the secret: keep it as you keep them.

Promises  the place is tried before the work; nothing of other labs is in it.
Read also `on_gradescope` (what runs there), `release` (what students get).
"""

import io
import re
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from chatsys.errors import ChatsysError, UsageError
from chatsys.surroundings import advice, place, reason, try_write
from chatsys.teach.classroom.jobs import Setting, the_course
from chatsys.teach.grading.versions import kept_files

PACKAGE = Path(__file__).resolve().parents[2]
EXTRA = "notebook"
"""What a lab's notebook may import, and nothing for tests."""

SETUP = """\
#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image.  It looks for a Python from 3.11 on, installs one if there is none,
# and puts the packages beside it in the versions that the tests of chatsys ran with.
set -euo pipefail
cd /autograder/source
good() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
find_python() { for one in python3.13 python3.12 python3.11 python3; do if good "$one"; then echo "$one"; return; fi; done; }
python="$(find_python)"
if [ -z "$python" ]; then
  apt-get update
  for version in 3.12 3.11; do
    apt-get install -y --no-install-recommends "python$version" "python$version-venv" && break
  done
  python="$(find_python)"
fi
if [ -z "$python" ]; then
  echo "chatsys needs Python 3.11 or newer, and this image has none to install; choose a newer base image." >&2
  exit 1
fi
"$python" -m venv /autograder/venv
/autograder/venv/bin/python -m pip install --disable-pip-version-check --no-cache-dir CONSTRAINED -r requirements.txt
"""
RUN = """\
#!/usr/bin/env bash
# Gradescope runs this for each submission; the mark goes to /autograder/results/results.json.
cd /autograder/source
PYTHONPATH=/autograder/source exec /autograder/venv/bin/python -m chatsys.teach.classroom.on_gradescope LAB
"""


def write_autograder(path: Path, setting: Setting) -> Iterator[str]:
    """Write the zip of one lab to `path`, and say what is in it; raises `UsageError` with a sentence."""
    if setting.public:
        raise UsageError("An autograder has the keys, so --public does not go with it; leave it out.")
    path = place(path)
    if path.suffix.lower() != ".zip":
        raise UsageError(f"{path} does not end in .zip, which Gradescope asks for; name it {path.name}.zip.")
    try_write(path)
    course = the_course(setting)
    files = dict(_files(setting, course.source.path, course.lab.name))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    try:
        path.write_bytes(data.getvalue())
    except OSError as error:
        raise ChatsysError(f"{path} cannot be written: {reason(error)}; {advice(error)}.") from None
    yield f"{path}: the autograder of {course.lab.name}, lab version {course.version}, secret {course.secret_id}."
    yield "It has the keys and the secret: give it to Gradescope (Configure Autograder, Zip file upload) and to nobody else."


def _files(setting: Setting, source: Path, lab: str) -> Iterator[tuple[str, bytes]]:
    """Yield (name in the zip, content) of each file."""
    labs = source.parents[2]
    secret = place(setting.secret) if setting.secret is not None else labs / "keys" / "secret"
    yield f"labs/source/{lab}/{source.name}", source.read_bytes()
    yield "labs/keys/secret", secret.read_bytes()
    for path in sorted((labs / "keys" / lab).iterdir()):
        if path.is_file():
            yield f"labs/keys/{lab}/{path.name}", path.read_bytes()
    for name, path in kept_files(labs, lab):
        yield f"labs/{name}", path.read_bytes()
    for path in sorted(PACKAGE.rglob("*")):
        name = path.relative_to(PACKAGE.parent).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and not name.startswith("chatsys/mutants/"):
            yield name, path.read_bytes()
    constraints = labs.parent / "constraints.txt"
    known = constraints.is_file()
    if known:
        yield "constraints.txt", constraints.read_bytes()
    yield "requirements.txt", "".join(f"{line}\n" for line in requirements()).encode()
    yield "setup.sh", SETUP.replace("CONSTRAINED ", "-c constraints.txt " if known else "").encode()
    yield "run_autograder", RUN.replace("LAB", lab).encode()


def requirements(extra: str = EXTRA) -> list[str]:
    """Return what pip must install for the package and one of its extras; raises `UsageError` if nobody knows."""
    try:
        every = metadata.requires("chatsys") or []
    except metadata.PackageNotFoundError:
        raise UsageError(
            "chatsys is not installed here, so what it needs is not known; pip install it first."
        ) from None
    found = []
    for line in every:
        needed, _, marker = line.partition(";")
        if (match := re.search(r"extra == ['\"]([\w-]+)['\"]", marker)) is None:
            found.append(line)
        elif match[1] == extra and not needed.startswith("chatsys"):
            found.append(needed.strip())
    return found
