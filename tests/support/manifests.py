"""The manifests of deploy/k8s as data: rendered as kubectl does, and expanded as a cluster does.

    deploy/k8s --kubectl kustomize--> objects --expand--> of each ordinal: its claim, and its Pod

A cluster makes three pods of one StatefulSet, gives each its name, its claim, its host name, and puts values into
variables and arguments.  `expand` does the same, so that the pods can be played by podman without a cluster.

Read also `pods` (which plays them), `tests/real/test_manifests.py` (what must hold between the objects).
"""

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

K8S = Path(__file__).parents[2] / "deploy" / "k8s"
WANTED = "kubectl of 1.27 or newer (or kustomize), which renders the manifests; install one."
Object = dict[str, Any]


def renderer() -> list[str] | None:
    """Return the words before the folder that is to be rendered; None where nothing can."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def render(folder: Path = K8S) -> list[Object]:
    """Return every object that `kubectl apply -k` would send."""
    words = renderer()
    assert words is not None, WANTED
    done = subprocess.run([*words, str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def find(objects: list[Object], kind: str, name: str | None = None) -> Object:
    """Return the one object of this kind (and name)."""
    (found,) = [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    return found


def node_config(objects: list[Object]) -> str:
    """Return the text of the nodes' file."""
    (text,) = find(objects, "ConfigMap")["data"].values()
    assert isinstance(text, str)
    return text


def container(objects: list[Object]) -> Object:
    """Return the one container of a pod, as the StatefulSet has it."""
    (found,) = find(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def expand(objects: list[Object]) -> dict[str, tuple[list[Object], Object]]:
    """Return for each pod's name its claims and the Pod, as the StatefulSet's controller and a kubelet would have them."""
    made = {}
    whole = find(objects, "StatefulSet")
    for ordinal in range(whole["spec"]["replicas"]):
        name = f"{whole['metadata']['name']}-{ordinal}"
        template = copy.deepcopy(whole["spec"]["template"])
        claims, volumes = [], template["spec"].setdefault("volumes", [])
        for claim in whole["spec"].get("volumeClaimTemplates", []):
            called = f"{claim['metadata']['name']}-{name}"
            claims.append({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                           "metadata": {"name": called}, "spec": claim["spec"]})  # fmt: skip
            volumes.append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": called}})
        template["spec"] |= {"hostname": name, "subdomain": whole["spec"]["serviceName"]}
        for one in template["spec"]["containers"]:
            _fill_in(one, name)
        metadata = {"name": name, "labels": template["metadata"]["labels"]}
        made[name] = claims, {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    return made


def _fill_in(one: Object, name: str) -> None:
    """Put values into the variables, and the variables into the arguments: `$(POD_NAME)`."""
    values = {}
    for variable in one.get("env", []):
        if "valueFrom" in variable:
            assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name", "no other field is needed here"
            del variable["valueFrom"]
            variable["value"] = name
        values[variable["name"]] = variable["value"]
    for key in ("command", "args"):
        for variable, value in values.items():
            one[key] = [word.replace(f"$({variable})", value) for word in one.get(key, [])]
