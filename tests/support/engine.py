"""A container engine of one's own, for tests and measurements: begun if none runs, with a base image, and ended again.

    eval "$(python tests/support/engine.py up)"      begin the engine, make base image and image; sets DOCKER_HOST
    python tests/support/engine.py image             make the image of this clone anew, with the engine that DOCKER_HOST names
    python tests/support/engine.py down              end the engine, and remove what it laid into the network

    dockerd in FOLDER: data/  exec/  pid  log  sock        beside no other engine: its bridge and its addresses are its own

Where an engine runs already (DOCKER_HOST, or the usual socket) that one is used.  Where no image registry can be
reached, `python:X.Y-slim` is made here: a minimal Debian by mmdebstrap, with the Python that runs this file in /usr/local.

Assumes   Linux and root; the Debian packages docker.io, iptables, nftables, mmdebstrap.
Promises  an engine is ended by its own pid file, and by nothing else; a second `up` finds the first.
Read also `runtime.net.containers` (which uses the engine), `deploy/docker` (the image), `.ci/run`.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("CHATSYS_ENGINE", Path(tempfile.gettempdir()) / "chatsys-engine"))
"""Where the engine keeps everything."""
BRIDGE, NETWORKS = "10.91.0.1/24", "base=10.92.0.0/16,size=24"
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
BASE = f"python:{PYTHON}-slim"
PACKAGES = (
    "base-files base-passwd bash coreutils dash debianutils findutils grep gzip hostname libc-bin login passwd sed tar "
    "libbz2-1.0 libexpat1 libffi8 liblzma5 libreadline8 libsqlite3-0 libssl3 libstdc++6 libuuid1 zlib1g"
).split()
"""What a shell needs, and what CPython's own modules are linked with.  They are unpacked and not set up, which takes a
third of the time: what their scripts would do and is needed is done by the hooks."""
HOOKS = (
    'cp "$1"/usr/share/base-passwd/passwd.master "$1"/etc/passwd',
    'cp "$1"/usr/share/base-passwd/group.master "$1"/etc/group',
    'chroot "$1" ldconfig',
)
MERGED = "/usr/share/mmdebstrap/hooks/merged-usr"
LEFT_OUT = ("site-packages", "test", "idlelib", "tkinter", "turtledemo", "lib2to3", "__pycache__", "config-*", "*.a")
BEGIN_LIMIT = 30.0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def docker(*words: str, host: str | None = None, **more: object) -> "subprocess.CompletedProcess[str]":
    """Run docker; what it says comes back as text."""
    environment = os.environ | ({"DOCKER_HOST": host} if host else {}) | {"DOCKER_CLI_HINTS": "false"}
    command = ["docker", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, **more)  # type: ignore[call-overload, no-any-return]


def answers(host: str | None = None) -> bool:
    """Tell whether an engine answers there."""
    return (
        shutil.which("docker") is not None and docker("version", "-f", "{{.Server.Version}}", host=host).returncode == 0
    )


def up() -> str:
    """Return the address of an engine, one that runs or one that is begun here, with the base image in it."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    own = f"unix://{FOLDER / 'sock'}"
    if not answers(host):
        host = own
        if not answers(own):
            begin()
    if docker("image", "inspect", BASE, host=host).returncode:
        make_base(host)
    return host


def begin() -> None:
    """Begin an engine in FOLDER, and wait until it answers."""
    if shutil.which("dockerd") is None:
        sys.exit("No engine runs, and there is no dockerd to begin one; apt install docker.io iptables, as root.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    places = [
        f"--{name}={FOLDER / place}"
        for name, place in (("data-root", "data"), ("exec-root", "exec"), ("pidfile", "pid"))
    ]
    command = [
        "dockerd",
        *places,
        "-H",
        f"unix://{FOLDER / 'sock'}",
        "--bip",
        BRIDGE,
        "--default-address-pool",
        NETWORKS,
    ]
    with open(FOLDER / "log", "ab") as log:
        engine = subprocess.Popen(
            [*command, "--oom-score-adjust=0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    end = time.monotonic() + BEGIN_LIMIT
    while not answers(f"unix://{FOLDER / 'sock'}"):
        if engine.poll() is not None or time.monotonic() > end:
            last = (FOLDER / "log").read_text(errors="replace").splitlines()[-3:]
            sys.exit("\n".join(["The engine did not begin; the last lines of its log:", *last]))
        time.sleep(0.1)
    say(f"An engine runs, in {FOLDER}.")


def down() -> None:
    """End the engine that FOLDER knows of, and remove the bridge and the rules that it laid."""
    try:
        pid = int((FOLDER / "pid").read_text())
        if "dockerd" not in Path(f"/proc/{pid}/cmdline").read_text():
            raise ProcessLookupError
        os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        say(f"No engine runs in {FOLDER}.")
        return
    end = time.monotonic() + BEGIN_LIMIT
    while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
        time.sleep(0.1)
    subprocess.run(["ip", "link", "del", "docker0"], capture_output=True)
    for family, table in (("ip", "filter"), ("ip", "nat")):
        for chain in ("DOCKER", "DOCKER-USER", "DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2"):
            _forget(family, table, chain)
    say("The engine has ended.")


def _forget(family: str, table: str, chain: str) -> None:
    """Remove a chain of the engine, and whatever jumps to it: other tables of this machine are let alone."""
    listed = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True).stdout
    for rule in listed.splitlines():
        if rule.startswith("-A") and (f"-j {chain}" in rule or " docker0 " in rule):
            subprocess.run(["iptables", "-t", table, *rule.replace("-A", "-D", 1).split()], capture_output=True)
    for what in ("-F", "-X"):
        subprocess.run(["iptables", "-t", table, what, chain], capture_output=True)


# --- images -----------------------------------------------------------------------------------


def make_base(host: str) -> None:
    """Make `python:X.Y-slim` without a registry: a minimal Debian, and this Python in /usr/local."""
    if shutil.which("mmdebstrap") is None:
        sys.exit(f"The engine has no image {BASE}; docker pull {BASE}, or apt install mmdebstrap.")
    begun = time.monotonic()
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    with tempfile.TemporaryDirectory(prefix="chatsys-base-") as made:
        tree, tar = Path(made, "tree"), Path(made, "base.tar")
        _copy_python(tree / "usr" / "local")
        _copy_settings(tree)
        left_out = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in ("man", "doc", "locale")]
        hooks = [f"--extract-hook={hook}" for hook in (f"copy-in {tree}/usr {tree}/etc /", *HOOKS)]
        options = ["--quiet", "--variant=extract", f"--include={','.join(PACKAGES)}", f"--hook-dir={MERGED}"]
        options += ['--aptopt=Acquire::Languages "none"', *left_out, *hooks]
        subprocess.run(
            ["mmdebstrap", *options, suite, str(tar)], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr
        )
        changes = [
            f"--change=ENV {words}"
            for words in ("PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", *_pip())
        ]
        docker("import", *changes, '--change=CMD ["python3"]', str(tar), BASE, host=host, check=True)
    say(f"The image {BASE} is made, in {time.monotonic() - begun:.0f} s.")


def _copy_python(to: Path) -> None:
    home = Path(sys.base_prefix)
    library = Path(sysconfig.get_path("stdlib", vars={"base": str(home), "installed_base": str(home)}))
    shutil.copytree(library, to / "lib" / library.name, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (to / "lib" / library.name / "site-packages").mkdir()
    for shared in (home / "lib").glob("libpython3*.so*"):
        shutil.copy2(shared, to / "lib" / shared.name, follow_symlinks=False)
    (to / "bin").mkdir()
    shutil.copy2(home / "bin" / f"python{PYTHON}", to / "bin" / f"python{PYTHON}")
    for name in ("python3", "python"):
        (to / "bin" / name).symlink_to(f"python{PYTHON}")


def _copy_settings(tree: Path) -> None:
    """Give the image this machine's certificates, which pip needs behind a proxy that has one of its own."""
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    (tree / "etc").mkdir(parents=True, exist_ok=True)
    if bundle.exists():
        (tree / "etc" / "chatsys-base.crt").write_bytes(bundle.read_bytes())


def _pip() -> tuple[str, ...]:
    return ("PIP_CERT=/etc/chatsys-base.crt", "PIP_DISABLE_PIP_VERSION_CHECK=1")


def make_image(host: str) -> None:
    """Make the image of this clone, as `make image` does."""
    begun = time.monotonic()
    environment = os.environ | {"DOCKER_HOST": host}
    words = [sys.executable, str(TOP / "deploy" / "docker" / "build.py")]
    done = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if done.returncode:
        sys.exit("The image could not be made; the lines above say why.")
    say(f"The image is made, in {time.monotonic() - begun:.0f} s.")


def main(words: list[str]) -> None:
    match words:
        case ["up"]:
            host = up()
            make_image(host)
            print(f"export DOCKER_HOST={host}")
        case ["image"]:
            make_image(up())
        case ["down"]:
            down()
        case _:
            sys.exit("Say up, image or down; this file's first lines tell what they do.")


if __name__ == "__main__":
    main(sys.argv[1:])
