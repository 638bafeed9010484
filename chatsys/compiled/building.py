"""Building: the pure rooms, compiled by mypyc into a folder of their own; the sources stay as they are.

    chatsys/protocol/node.py --rewrite--> .fast/copies/chatsys/protocol/node.py --mypyc--> C --compiler--> node.*.so
                                                                                 |
                                            .fast/built.json  <--of which sources, for which Python, which modules

Types are what is gained by: mypyc reads the annotations that are there anyway, so a field of an object is a place in it
and no look-up in a dictionary, and a call between two compiled methods needs no frame of Python's.

Assumes   a C compiler, the headers of this Python, and mypy with setuptools (the extra `compile`).
Promises  the folder holds a build that was finished, or what it held before.
Read also `rewriting` (what is done to a copy), `modules` (to which), `using` (who takes them, and when).
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from chatsys.compiled.modules import PACKAGE, chosen
from chatsys.compiled.rewriting import Unfit, plain_of, rewrite
from chatsys.compiled.using import BUILT, FOLDER, LIBRARY, key
from chatsys.errors import UsageError

WORK = "copies"
GROUP = LIBRARY.removesuffix("__mypyc")
SETUP = """
from pathlib import Path
from mypyc.build import mypycify
from setuptools import setup

extensions = mypycify([*{options!r}, *{files!r}], opt_level={level!r}, debug_level="0", group_name={group!r})
for file in Path("build").rglob("*.c"):  # a traceback names the sources, not these copies
    file.write_text(file.read_text().replace('"chatsys/', '"{root}/chatsys/'))
print({translated!r}, flush=True)
setup(name="chatsys-compiled", ext_modules=extensions, script_args=["-q", "build_ext", "--inplace"])
"""
OPTIONS = (
    "--config-file=",
    "--follow-imports=silent",
    "--ignore-missing-imports",
    "--hide-error-context",
    "--no-color-output",
)
TRANSLATED = "mypyc is done"
IGNORED = shutil.ignore_patterns("__pycache__", "*.ipynb", "*.js", "*.css", "*.png")

Tell = Callable[[str], None]


def build(
    folder: Path = FOLDER, sources: Mapping[str, Path] | None = None, *, level: int = 2, tell: Tell = print
) -> dict[str, str]:
    """Compile these modules (`chosen`) into `folder`; return what stays interpreted, each with the reason.

    `level` is how hard the C compiler tries, from 0 to 3.  Raises `UsageError` if something is missing here, or if mypyc
    or the compiler refuses.
    """
    if sentence := missing():
        raise UsageError(f"{sentence} chatsys needs no build; it is only slower without.")
    began, made_of = time.monotonic(), key()
    work = folder / WORK
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(PACKAGE, work / PACKAGE.name, ignore=IGNORED)
    for path in (work / PACKAGE.name).glob("__init__.*"):
        path.write_text("")  # it names the whole package, and mypy would read all of it
    beside, files, left = _rewrite(work, chosen() if sources is None else sources)
    tell(f"[1 of 2] mypyc makes C of {len(files)} modules: half a minute.")
    _compile(work, files, level, tell)
    modules = {LIBRARY: _library(work, LIBRARY)} | beside
    modules |= {name: _library(work, name.replace(".", "/")) for name in files}
    new = folder / "new"
    shutil.rmtree(new, ignore_errors=True)
    for file in modules.values():
        (new / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(work / file, new / file)
    shutil.rmtree(work)
    (folder / BUILT).unlink(missing_ok=True)  # from here to the last line nothing is to be had here
    for place in new.iterdir():
        shutil.rmtree(folder / place.name, ignore_errors=True)
        place.replace(folder / place.name)
    new.rmdir()
    (folder / BUILT).write_text(json.dumps({"key": made_of, "modules": modules, "left": left}, indent=1))
    tell(f"{len(files)} modules are compiled, in {time.monotonic() - began:.0f} s.")
    return left


def missing() -> str:
    """Say what is missing here that compiling needs, and how it is had; "" if nothing is."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_path("include"))
    if shutil.which(compiler) is None:
        return f"There is no C compiler here ({compiler}), so nothing can be compiled; on Debian and Ubuntu: apt install gcc."
    if not (headers / "Python.h").is_file():
        return f"This Python has no C headers ({headers}), so nothing can be compiled; on Debian and Ubuntu: apt install python3-dev."
    for name in ("mypyc", "setuptools"):
        if importlib.util.find_spec(name) is None:
            return f"{name} is not installed, so nothing can be compiled: pip install -e '.[compile]'."
    return ""


def _rewrite(work: Path, sources: Mapping[str, Path]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Rewrite the copies; return, by name: the modules of structs, those to compile (both as files), and what is left."""
    beside, files, left = {}, {}, {}
    for name, path in sources.items():
        try:
            text, plain = rewrite(path.read_text(encoding="utf-8"), name)
        except Unfit as error:
            left[name] = str(error)
            continue
        files[name] = f"{name.replace('.', '/')}.py"
        (work / files[name]).write_text(text, encoding="utf-8")
        if plain:
            other = plain_of(name)
            beside[other] = f"{other.replace('.', '/')}.py"
            (work / beside[other]).write_text(plain, encoding="utf-8")
    return beside, files, left


def _compile(work: Path, files: Mapping[str, str], level: int, tell: Tell) -> None:
    """Run mypyc and the C compiler in the folder of the copies."""
    told = {"options": OPTIONS, "files": [*files.values()], "level": str(level), "group": GROUP}
    text = SETUP.format(**told, root=PACKAGE.parent.as_posix(), translated=TRANSLATED)
    (work / "setup.py").write_text(text, encoding="utf-8")
    said: list[str] = []
    with subprocess.Popen(
        [sys.executable, "setup.py"], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None, "it was asked for"
        for line in process.stdout:
            said.append(line.strip())
            if said[-1] == TRANSLATED:
                tell("[2 of 2] The C compiler makes machine code of it: one or two minutes.")
    if process.returncode:
        wrong = [line for line in said if "error" in line] or said[-1:] or ["it said nothing"]
        raise UsageError(f"The modules could not be compiled: {wrong[0]}")


def _library(work: Path, stem: str) -> str:
    """Return the file of a compiled module, below `work`."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
    file = f"{stem}{suffix}"
    if not (work / file).is_file():
        raise UsageError(f"The modules could not be compiled: there is no {file} among what the compiler left.")
    return file
