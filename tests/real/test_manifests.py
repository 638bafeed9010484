"""The manifests of deploy/k8s: rendered by kubectl, valid by Kubernetes' own schemas, and of one mind with each other.

Each schema sees one object.  What breaks a deployment is mostly between two: a selector that matches nothing, a port under
another name, a probe of a file that nobody writes.  So the assertions below look from one object to the next, and at what
chatsys itself reads; a table of breaks shows that each of them can fail.

Skipped with a sentence where nothing renders; with CI=true that is a failure.
"""

import copy
import os
import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import manifests
import pytest
import yaml
from manifests import Object, container, expand, find, node_config

from chatsys.config import MAX_VOTERS, read_node_config
from chatsys.runtime.host import LARGE
from chatsys.runtime.status_file import INTERVAL, STATUS

ROOT = Path(__file__).parents[2]
VERSIONS = ("1.27", "1.37")
"""The oldest Kubernetes that the manifests are for, and the newest that the schemas know."""

if manifests.renderer() is None and not os.environ.get("CI"):
    pytest.skip(f"this needs {manifests.WANTED}", allow_module_level=True)


@pytest.fixture(scope="module")
def rendered() -> list[Object]:
    return manifests.render()


def pod_spec(objects: list[Object]) -> Object:
    spec = find(objects, "StatefulSet")["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def labels_of_pods(objects: list[Object]) -> dict[str, str]:
    labels = find(objects, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
    assert isinstance(labels, dict)
    return labels


def chosen(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}) if "matchLabels" in selector or not selector else selector
    return all(labels.get(key) == value for key, value in wanted.items())


# --- each of these is an assertion about all objects ------------------------------------------


def selectors_choose_the_pods(objects: list[Object]) -> None:
    labels = labels_of_pods(objects)
    whole = find(objects, "StatefulSet")["spec"]
    spread = [one["labelSelector"] for one in pod_spec(objects)["topologySpreadConstraints"]]
    apart = pod_spec(objects).get("affinity", {}).get("podAntiAffinity", {})
    apart = [one["labelSelector"] for one in apart.get("requiredDuringSchedulingIgnoredDuringExecution", [])]
    found = {
        "StatefulSet": whole["selector"],
        "PodDisruptionBudget": find(objects, "PodDisruptionBudget")["spec"]["selector"],
        "NetworkPolicy": find(objects, "NetworkPolicy")["spec"]["podSelector"],
        **{
            f"Service {one['metadata']['name']}": one["spec"]["selector"] for one in objects if one["kind"] == "Service"
        },
        **{f"spread {number}": one for number, one in enumerate(spread + apart)},
    }
    for who, selector in found.items():
        assert selector and chosen(selector, labels), f"{who} does not choose the pods"
        assert not chosen(selector, {"chatsys-client": "true"}), f"{who} chooses clients, too"


def the_members_have_the_names_that_the_headless_service_gives(objects: list[Object]) -> None:
    whole = find(objects, "StatefulSet")
    service = find(objects, "Service", whole["spec"]["serviceName"])["spec"]
    assert service["clusterIP"] == "None", "the members' Service is not headless: it has an address of its own"
    assert service["publishNotReadyAddresses"] is True, "members find each other only once they are ready, so never"
    config = read_node_config(node_config(objects), known_as=f"{whole['metadata']['name']}-0")
    pods = list(expand(objects))
    port = container(objects)["ports"][0]["containerPort"]
    service_name = f"{whole['spec']['serviceName']}.{whole['metadata']['namespace']}"
    wanted = {ordinal + 1: f"{pod}.{service_name}:{port}" for ordinal, pod in enumerate(pods)}
    assert config.cluster.members == wanted, "members are not the pods, under their names"
    assert len(pods) <= MAX_VOTERS and config.cluster.safe


def each_pod_finds_itself_and_listens_where_its_port_is(objects: list[Object]) -> None:
    for ordinal, (name, (_, pod)) in enumerate(expand(objects).items()):
        (one,) = pod["spec"]["containers"]
        options = dict(word.removeprefix("--").split("=", 1) for word in one["args"][1:])
        assert one["command"] == ["chatsys"] and one["args"][0] == "node", "the image's program is chatsys node"
        assert options["id-from"] == name, "the pod's name does not reach --id-from"
        config = read_node_config(node_config(objects), known_as=options["id-from"])
        assert config.node == ordinal + 1
        assert config.address == ("0.0.0.0", one["ports"][0]["containerPort"]), "it does not listen on the pod's port"


def ports_have_one_number_and_one_name(objects: list[Object]) -> None:
    (port,) = container(objects)["ports"]
    for one in objects:
        if one["kind"] == "Service":
            (served,) = one["spec"]["ports"]
            assert served["targetPort"] == port["name"] == served["name"], f"{one['metadata']['name']}: another port"
            assert served["port"] == port["containerPort"], f"{one['metadata']['name']}: another number"


def the_disruption_budget_leaves_a_majority(objects: list[Object]) -> None:
    replicas = find(objects, "StatefulSet")["spec"]["replicas"]
    quorum = read_node_config(node_config(objects), known_as="chatsys-0").cluster.quorum
    assert replicas - find(objects, "PodDisruptionBudget")["spec"]["maxUnavailable"] >= quorum, "no majority is left"


def pods_come_together_and_go_one_by_one(objects: list[Object]) -> None:
    whole = find(objects, "StatefulSet")["spec"]
    assert whole["podManagementPolicy"] == "Parallel", "the first pod waits for a majority that waits for it"
    assert whole["updateStrategy"]["type"] == "RollingUpdate" and whole["minReadySeconds"] >= 5
    assert pod_spec(objects)["terminationGracePeriodSeconds"] >= 20, "2 s to hand over, 10 s to sync, and some"


def what_is_mounted_is_there_and_the_data_is_the_pods_own(objects: list[Object]) -> None:
    one, spec = container(objects), pod_spec(objects)
    claims = {claim["metadata"]["name"] for claim in find(objects, "StatefulSet")["spec"]["volumeClaimTemplates"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["mountPath"]: mount["name"] for mount in one["volumeMounts"]}
    assert set(mounts.values()) == claims | set(volumes), "a volume is not mounted, or a mount has none"
    config = read_node_config(node_config(objects), known_as="chatsys-0")
    assert mounts[config.data] in claims, "the log is not on the pod's own disk"
    (path,) = [word.partition("=")[2] for word in one["args"] if word.startswith("--config=")]
    folder, _, file = path.rpartition("/")
    told = find(objects, "ConfigMap")
    assert volumes[mounts[folder]]["configMap"]["name"] == told["metadata"]["name"], "another ConfigMap is mounted"
    assert file in told["data"], "the file that the node reads is not in the ConfigMap"


def probes_look_at_the_file_that_the_node_writes_and_start_no_python(objects: list[Object]) -> None:
    one = container(objects)
    file = f"{read_node_config(node_config(objects), known_as='chatsys-0').data}/{STATUS}"
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        words = one[name]["exec"]["command"]
        told = shlex.split(words[2]) if words[:2] == ["sh", "-c"] else words
        assert file in told, f"the {name} looks at another file than {file}"
        assert set(words[:1] + told[:1]) <= {"sh", "find", "grep"}, f"the {name} starts {words[0]}"
    for name in ("startupProbe", "livenessProbe"):
        (age,) = re.findall(r"-newermt '-(\d+) seconds'", " ".join(one[name]["exec"]["command"]))
        assert int(age) >= 5 * INTERVAL, f"the {name} kills a node that was busy for a moment"
    assert one["startupProbe"].get("initialDelaySeconds", 0) >= 2, "the file of the life before is taken for this one's"
    living = one["livenessProbe"]
    assert living["failureThreshold"] * living["periodSeconds"] >= 30
    asked = " ".join(living["exec"]["command"] + one["readinessProbe"]["exec"]["command"])
    assert not re.search(r"leader|role|caught_up", asked), "a node is judged by whether somebody leads"
    assert '"level":true' in one["readinessProbe"]["exec"]["command"]


def nothing_runs_with_more_rights_than_it_needs(objects: list[Object]) -> None:
    spec, one = pod_spec(objects), container(objects)
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] >= 1000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    memory = int(one["resources"]["limits"]["memory"].removesuffix("Mi")) << 20
    assert memory >= 4 * LARGE + (50 << 20), "a node is killed for its memory before it warns of its log"
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    space = find(objects, "Namespace")
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for other in objects:
        assert other["metadata"].get("namespace", space["metadata"]["name"]) == space["metadata"]["name"]


def the_image_is_the_one_that_is_built(objects: list[Object]) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container(objects)["image"] == f"chatsys:{version}"
    user = pod_spec(objects)["securityContext"]
    assert user["runAsUser"] == user["runAsGroup"] == user["fsGroup"]
    made = ROOT / "deploy" / "docker" / "Dockerfile"
    if made.exists():  # the image's own user, who owns what is in it
        assert re.findall(r"^USER (\d+):(\d+)$", made.read_text(), re.M) == [(str(user["runAsUser"]),) * 2]


def the_policy_lets_members_and_clients_in_and_nobody_else(objects: list[Object]) -> None:
    (port,) = [one["containerPort"] for one in container(objects)["ports"]]
    policy = find(objects, "NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    pods, client, nobody = labels_of_pods(objects), {"chatsys-client": "true"}, {"app.kubernetes.io/name": "chatsys"}

    def passes(way: str, other: dict[str, str], its_space: dict[str, str], number: int, home: bool = True) -> bool:
        for rule in policy[way]:
            peers = rule.get("from" if way == "ingress" else "to")
            known = peers is None or any(
                chosen(peer["namespaceSelector"], its_space) if "namespaceSelector" in peer
                else home and chosen(peer["podSelector"], other)
                for peer in peers
            )  # fmt: skip
            if known and any(one["port"] == number for one in rule["ports"]):
                return True
        return False

    assert passes("ingress", pods, {}, port) and passes("egress", pods, {}, port), "members do not reach each other"
    assert passes("ingress", client, {}, port), "a client with the label is kept out"
    assert passes("ingress", {}, client, port, home=False), "a client of a namespace with the label is kept out"
    assert not passes("ingress", nobody, {}, port), "anybody gets in"
    assert not passes("ingress", client, {}, port, home=False), "a label in any namespace is enough"
    assert not passes("ingress", client, {}, port + 1), "another port is open"
    assert passes("egress", {}, {}, 53), "names cannot be looked up"
    assert not passes("egress", nobody, {}, 443), "a node may speak to anybody"


ASSERTIONS: tuple[Callable[[list[Object]], None], ...] = (
    selectors_choose_the_pods,
    the_members_have_the_names_that_the_headless_service_gives,
    each_pod_finds_itself_and_listens_where_its_port_is,
    ports_have_one_number_and_one_name,
    the_disruption_budget_leaves_a_majority,
    pods_come_together_and_go_one_by_one,
    what_is_mounted_is_there_and_the_data_is_the_pods_own,
    probes_look_at_the_file_that_the_node_writes_and_start_no_python,
    nothing_runs_with_more_rights_than_it_needs,
    the_image_is_the_one_that_is_built,
    the_policy_lets_members_and_clients_in_and_nobody_else,
)


@pytest.mark.parametrize("holds", ASSERTIONS, ids=lambda one: one.__name__)
def test_the_manifests_are_of_one_mind(rendered: list[Object], holds: Callable[[list[Object]], None]) -> None:
    holds(rendered)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifests_are_valid_by_the_schemas_of_kubernetes(rendered: list[Object], version: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="this needs the extra [test]")
    for one in rendered:
        kubernetes_validate.validate(one, version, strict=True)
    wrong = copy.deepcopy(find(rendered, "StatefulSet"))
    wrong["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_on_one_machine_the_pods_may_be_neighbours_and_nothing_else_differs(rendered: list[Object]) -> None:
    here = manifests.render(manifests.K8S / "one-machine")
    assert pod_spec(rendered).pop("affinity")["podAntiAffinity"].keys() == {
        "requiredDuringSchedulingIgnoredDuringExecution"
    }
    assert here == rendered


# --- and each of them can fail ----------------------------------------------------------------

SET = "kind: StatefulSet"
BREAKS: dict[str, tuple[str, str, str, str]] = {
    # the break: (after this, this becomes, that, and who sees it)
    "a service with another label": (
        "kind: Service",
        "selector:\n    app.kubernetes.io/component: node\n",
        "selector:\n    app.kubernetes.io/component: nodes\n",
        "selectors_choose",
    ),
    "a budget for other pods": ("kind: PodDisruptionBudget", "name: chatsys\n", "name: chat\n", "selectors_choose"),
    "a policy for all pods": ("kind: NetworkPolicy", "component: node\n", "component: '*'\n", "selectors_choose"),
    "one replica more": (SET, "replicas: 3", "replicas: 4", "the_members_have"),
    "another set's name": (SET, "name: chatsys\n  namespace", "name: chat\n  namespace", "the_members_have"),
    "a service with an address": ("name: chatsys-members", "clusterIP: None", "clusterIP: ''", "the_members_have"),
    "only who is ready is found": (
        "",
        "publishNotReadyAddresses: true",
        "publishNotReadyAddresses: false",
        "the_members",
    ),
    "a member of another name": ("", "1: chatsys-0.", "1: chatsys-1x.", "the_members_have"),
    "a variable of another name": (SET, "$(POD_NAME)", "$(NAME)", "each_pod_finds"),
    "listens for itself only": ("", "listen: 0.0.0.0:5001", "listen: 127.0.0.1:5001", "each_pod_finds"),
    "another port in the container": (SET, "containerPort: 5001", "containerPort: 5002", "ports_have"),
    "a port without a door": ("kind: Service", "targetPort: chat", "targetPort: chats", "ports_have"),
    "two may go": ("", "maxUnavailable: 1", "maxUnavailable: 2", "the_disruption"),
    "one after the other": (SET, "Parallel", "OrderedReady", "pods_come"),
    "no time to hand over": (SET, "PeriodSeconds: 30", "PeriodSeconds: 2", "pods_come"),
    "the log on no disk": ("", "data: /data", "data: /log", "what_is_mounted"),
    "a volume that nobody has": (SET, "name: data\n        - ", "name: disk\n        - ", "what_is_mounted"),
    "another file": (SET, "config=/etc/chatsys/chatsys.yml", "config=/etc/chatsys/node.yml", "what_is_mounted"),
    "a probe of another file": (SET, "/data/status.json", "/tmp/status.json", "probes_look"),
    "a probe that comes before Python": (SET, "initialDelaySeconds: 3", "initialDelaySeconds: 0", "probes_look"),
    "an impatient probe": (SET, "-15 seconds", "-1 seconds", "probes_look"),
    "ready while somebody leads": (SET, '"level":true', '"caught_up":true', "probes_look"),
    "a probe that starts Python": (SET, "- grep\n", "- chatsys\n", "probes_look"),
    "the superuser": (SET, "runAsUser: 10001", "runAsUser: 0", "nothing_runs"),
    "a root that can be written": (
        SET,
        "readOnlyRootFilesystem: true",
        "readOnlyRootFilesystem: false",
        "nothing_runs",
    ),
    "no memory for a log": (SET, "memory: 1536Mi", "memory: 512Mi", "nothing_runs"),
    "all capabilities": (SET, "- ALL", "- CHOWN", "nothing_runs"),
    "another namespace": (SET, "namespace: chatsys", "namespace: chat", "nothing_runs"),
    "an image of yesterday": (SET, "image: chatsys:0.1.0", "image: chatsys:0.0.9", "the_image"),
    "a policy with another port": ("kind: NetworkPolicy", "port: 5001", "port: 5002", "the_policy"),
    "clients of another label": ("  ingress:", "chatsys-client", "client", "the_policy"),
    "a rule without peers": ("  ingress:", "from:", "whence:", "the_policy"),
    "no names": ("kind: NetworkPolicy", "port: 53\n", "port: 54\n", "the_policy"),
}


@pytest.mark.parametrize("after, this, that, who", BREAKS.values(), ids=BREAKS.keys())
def test_a_break_is_seen(rendered: list[Object], after: str, this: str, that: str, who: str) -> None:
    text = yaml.safe_dump_all(rendered, sort_keys=False, width=1000)
    head, found, tail = text.partition(after) if after else ("", "", text)
    assert this in tail, f"{this!r} is not there any more"
    broken = list(yaml.safe_load_all(head + found + tail.replace(this, that)))
    (holds,) = [one for one in ASSERTIONS if one.__name__.startswith(who)]
    with pytest.raises(Exception):  # noqa: B017, an assertion, a missing key, or chatsys' own sentence
        holds(broken)
