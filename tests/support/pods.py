"""The pods of deploy/k8s, run for real by podman: with their names, their disks, and what they may and may not do.

    StatefulSet --expand--> claims and Pods --podman kube play--> containers in one network, each under its member's name

What a cluster has and this has not, and what stands in its place:

    name server, headless Service   podman's own (aardvark-dns), asked for each name as an alias of the pod
    kubelet's probes                `probe` runs the command of the manifest in the container
    the StatefulSet's controller    `roll` in `rolling`: the highest first, each after the one before is ready
    fsGroup, a disk's owner         podman gives a new volume to the user that the container runs as
    NetworkPolicy, affinity, PodDisruptionBudget   nothing: nobody here carries them out

Containers and volumes stand in a folder of their own, so what else podman runs on this machine is let alone.  The image is
read from podman's usual place, and taken there from Docker if need be: it stays, as images do.

Assumes   Linux and root; podman with netavark and aardvark-dns, and runc.
Promises  nothing is published on a port of this machine; `close` removes all of it.
"""

import copy
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import manifests
import yaml
from manifests import Object

WANTED = (
    "podman, netavark, aardvark-dns, runc and ip (apt install podman netavark aardvark-dns runc iproute2), as root."
)
SETTINGS = '[engine]\nruntime = "runc"\n[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=2048:2048"]\n'
"""A superuser without all rights of one may raise no limits; these are low enough everywhere."""


def missing() -> str:
    """Return what this machine lacks to run pods, or ""."""
    there = all(shutil.which(one) for one in ("podman", "runc", "ip")) and any(
        Path(folder, "aardvark-dns").exists() for folder in ("/usr/lib/podman", "/usr/libexec/podman")
    )
    return "" if there and os.geteuid() == 0 else WANTED


class NoImage(RuntimeError):
    """Nobody here has the image."""


class Podman:
    """Podman with everything in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings, storage = folder / "containers.conf", folder / "storage.conf"
        settings.write_text(SETTINGS)
        usual = subprocess.run(
            ["podman", "info", "--format", "{{.Store.GraphRoot}}"], capture_output=True, text=True, timeout=60
        ).stdout.strip()
        storage.write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{folder / "root"}"\nrunroot = "{folder / "run"}"\n'
            f'[storage.options]\nadditionalimagestores = ["{usual}"]\n'
        )
        self.environment = os.environ | {"CONTAINERS_CONF": str(settings), "CONTAINERS_STORAGE_CONF": str(storage)}
        self.words = ["podman"]

    def __call__(self, *words: str, data: str | None = None, check: bool = True, limit: float = 60.0) -> str:
        done = subprocess.run(
            [*self.words, *words], input=data, capture_output=True, text=True, env=self.environment, timeout=limit
        )
        if check and done.returncode:
            raise RuntimeError(f"podman {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """Start podman and let it run; its input and output are pipes."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.words, *words], stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=self.environment
        )

    def take(self, image: str) -> None:
        """See to it that podman has the image, in its usual place; Docker may have it."""
        if subprocess.run(["podman", "image", "exists", image]).returncode == 0:
            return
        if shutil.which("docker"):
            with subprocess.Popen(
                ["docker", "save", image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as source:
                loaded = subprocess.run(["podman", "load"], stdin=source.stdout, capture_output=True)
            if source.returncode == loaded.returncode == 0:
                return
        raise NoImage(f"Neither podman nor docker has an image {image}; make it (make image), or name another one.")


class Pods:
    """The pods of one rendering, in one network."""

    def __init__(self, podman: Podman, objects: list[Object], image: str) -> None:
        self.podman = podman
        self.config_map = manifests.find(objects, "ConfigMap")
        whole = manifests.find(objects, "StatefulSet")
        self.service = f"{whole['spec']['serviceName']}.{whole['metadata']['namespace']}"
        self.container: Object = manifests.container(objects)
        self.image = image
        self.made = manifests.expand(objects)
        self.names = tuple(self.made)
        self.network = f"chatsys-{os.getpid()}"
        podman("network", "create", self.network)
        self.bridge = podman("network", "inspect", "--format", "{{.NetworkInterface}}", self.network).strip()
        for claims, _ in self.made.values():
            self._play(*claims)

    def _play(self, *objects: Object, alias: str = "") -> None:
        path = self.podman.folder / "play.yaml"
        path.write_text(yaml.safe_dump_all(objects))
        network = f"{self.network}:alias={alias}" if alias else self.network
        self.podman("kube", "play", "--network", network, str(path))

    def start(self, name: str) -> None:
        """Run the pod, as a kubelet would; its disk is there."""
        pod = copy.deepcopy(self.made[name][1])
        for one in pod["spec"]["containers"]:
            one["image"] = self.image
            for key in ("startupProbe", "livenessProbe", "readinessProbe"):  # podman would have systemd ask
                one.pop(key, None)
            one.pop("ports", None)  # podman would publish them on every address of this machine
        self._play(self.config_map, pod, alias=f"{name}.{self.service}")
        self._keep_address_of_bridge()

    def _keep_address_of_bridge(self) -> None:
        """Let the bridge have the address that it has: it would take another pod's when the first one goes.

        All others would then look for their name server where it no longer is, for half a minute.
        """
        address = Path("/sys/class/net", self.bridge, "address").read_text().strip()
        subprocess.run(["ip", "link", "set", self.bridge, "address", address], check=True)

    def stop(self, name: str) -> float:
        """Let the pod end as Kubernetes does: SIGTERM, the grace time, SIGKILL; return how long it took."""
        grace = self.made[name][1]["spec"]["terminationGracePeriodSeconds"]
        begun = time.monotonic()
        self.podman("stop", "--time", str(grace), self._node(name), limit=grace + 60)
        taken = time.monotonic() - begun
        self.kill(name)
        return taken

    def kill(self, name: str) -> None:
        """Let the pod vanish, as with its machine; its disk stays."""
        self.podman("pod", "rm", "--force", "--time", "0", name)

    def alone(self, name: str) -> "subprocess.CompletedProcess[str]":
        """Run what a pod of this name would run, until it ends, with no disk and nothing in the network's names."""
        words = [
            word.replace(self.names[0], name) for word in self.made[self.names[0]][1]["spec"]["containers"][0]["args"]
        ]
        file = self.podman.folder / "chatsys.yml"
        (text,) = self.config_map["data"].values()
        file.write_text(text)
        return subprocess.run(
            [*self.podman.words, "run", "--rm", "--read-only", "--network", self.network, "--volume",
             f"{file}:/etc/chatsys/chatsys.yml:ro", self.image, *words],
            env=self.podman.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def _node(self, name: str) -> str:
        return f"{name}-{self.container['name']}"

    def probe(self, name: str, which: str) -> bool:
        """Ask as the kubelet does: run a probe's command in the container."""
        command = self.container[which]["exec"]["command"]
        done = subprocess.run(
            [*self.podman.words, "exec", self._node(name), *command],
            env=self.podman.environment, capture_output=True, timeout=60,
        )  # fmt: skip
        return done.returncode == 0

    def exec(self, name: str, *words: str) -> str:
        """Run a command in the pod's container and return what it prints."""
        return self.podman("exec", self._node(name), *words)

    def log(self, name: str) -> str:
        """Return what the node told in this life of the pod."""
        done = subprocess.run(
            [*self.podman.words, "logs", self._node(name)],
            env=self.podman.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return done.stdout + done.stderr

    def state(self, name: str) -> dict[str, Any]:
        """Return what podman knows of the container: whether it runs, and with which code it ended."""
        (told,) = json.loads(self.podman("inspect", self._node(name)))
        state = told["State"]
        assert isinstance(state, dict)
        return state

    def disk(self, name: str) -> Path:
        """Return where the pod's volume stands on this machine."""
        (claim,) = self.made[name][0]
        return Path(self.podman("volume", "inspect", "--format", "{{.Mountpoint}}", claim["metadata"]["name"]).strip())


@contextmanager
def pods(image: str, objects: list[Object]) -> Iterator[Pods]:
    """Give pods that are not started yet, and remove everything at the end."""
    with tempfile.TemporaryDirectory(prefix="chatsys-pods-", ignore_cleanup_errors=True) as made:
        podman = Podman(Path(made))
        podman.take(image)
        running = Pods(podman, objects, image)
        try:
            yield running
        finally:
            podman("pod", "rm", "--all", "--force", "--time", "0", check=False)
            podman("rm", "--all", "--force", "--time", "0", check=False)
            podman("network", "rm", "--force", running.network, check=False)
            for mount in ("root/overlay", "root"):
                subprocess.run(["umount", "--lazy", str(Path(made, mount))], capture_output=True)
