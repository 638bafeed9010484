"""cluster status: one screen about the nodes of a cluster, whoever runs them.

    --data    the folder of `cluster up`: what that command wrote last
    DIR...    data folders of nodes: what each of them wrote last, each second, into its own   (also volumes of containers)
    --config  the same, where the file of a node says

It asks no node: what a stranger may learn from a node's port is little, on purpose.  Who may read the folders may
know how the nodes are.

Read also `runtime.status_file` (what a node writes), `nodes` (cluster up).
"""

import json
import shlex
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from chatsys.commands import AsJson, check_id_from, print_json
from chatsys.commands.nodes import DEFAULT_DATA, REFRESH, STATUS, IdFrom, cluster, read_text
from chatsys.errors import UsageError
from chatsys.surroundings import advice, place, reason

WIDTH = 80
HEAD = f"{'node':>4}  {'role':<11} {'term':>6} {'last':>9} {'commit':>9} {'behind':>7} {'log':>9}  written"


@cluster.command()
def status(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[DIR...]", help="Data folders of nodes.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="The folder that `cluster up` was given.", show_default=str(DEFAULT_DATA))
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option(help="The YAML file of a node; may be repeated.", show_default=False)
    ] = None,
    id_from: IdFrom = None,
    as_json: AsJson = False,
) -> None:
    """Show how the nodes of a cluster are: roles, terms, how far each is behind, the size of its log, its last words.

    Without DIR and --config it is about the cluster that `cluster up` keeps running.

    Examples:

        chatsys cluster status

        chatsys cluster status data/local/node1 data/local/node2 data/local/node3

        chatsys cluster status --config deploy/local/node1.yml --config deploy/local/node2.yml

        chatsys cluster status --config chatsys.yml --id-from node1
    """
    check_id_from(id_from, config)
    named = [*(folders or ()), *(_data_of(one, id_from) for one in config or ())]
    if named and data is not None:
        raise UsageError(
            "--data was given beside folders of nodes; name the folder of cluster up, or those of the nodes."
        )
    result = _of_folders(named) if named else _of_cluster_up(data or DEFAULT_DATA)
    if as_json:
        print_json(result)
        return
    for line in screen(result):
        print(line)


def screen(result: Mapping[str, Any]) -> Iterable[str]:
    """Yield the lines of the screen, none longer than a terminal is wide."""
    nodes = result["nodes"]
    yield f"leader: {result['leader'] or 'none at the moment'}"
    yield HEAD
    for node, state in nodes.items():
        yield (
            f"{node:>4}  {state['life']:<11} {state.get('term', 0):>6} {_count(state, 'last'):>9} "
            f"{_count(state, 'commit'):>9} {_lag(state, nodes):>7} {_bytes(state.get('log_bytes')):>9}  {_ago(state.get('age'))}"
        )
    for node, state in nodes.items():
        if said := state.get("why") or state.get("failure") or state.get("said"):
            line = f"node {node}: {said}"
            yield line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def _count(state: Mapping[str, Any], key: str) -> str:
    """Return a position in the log; of a learner it is the number of a message, and written like one."""
    return f"{'#' * (state.get('role') == 'learner')}{state.get(key) or 0}"


def _lag(state: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how much the furthest of these nodes has and this one has not: entries, or messages of a learner."""
    key = "delivered" if state.get("role") == "learner" else "commit"
    return max(other.get(key) or 0 for other in nodes.values() if key in other or other is state) - (
        state.get(key) or 0
    )


def _bytes(count: int | None) -> str:
    if count is None:
        return "-"
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.4g} GB"


def _ago(age: float | None) -> str:
    if age is None:
        return "-"
    return f"{age:.1f} s ago" if age < 100 else f"{age / 60:.0f} min ago" if age < 6000 else f"{age / 3600:.0f} h ago"


# --- what the nodes wrote themselves --------------------------------------------------------------


def _data_of(config: Path, id_from: str | None) -> Path:
    from chatsys.config import read_node_config

    return Path(read_node_config(read_text(config), str(config), id_from).data)


def _of_folders(named: list[Path]) -> dict[str, Any]:
    nodes: dict[str, Any] = {}
    members: dict[str, str] = {}
    cluster: dict[str, Path] = {}
    for folder in named:
        facts = _read(folder)
        cluster.setdefault(str(facts.get("cluster")), folder)
        if len(cluster) > 1:
            (one, here), (other, there) = cluster.items()
            raise UsageError(
                f"{here} is of the cluster {one!r} and {there} of {other!r}; ask about one cluster at a time."
            )
        node = str(facts.get("node"))
        if node in nodes:
            raise UsageError(
                f"{folder} is a folder of node {node}, and one of that node was named before; name each once."
            )
        members |= facts.get("members") or {}
        nodes[node] = facts | {"life": _life(facts)}
    return {"leader": leader_of(nodes), "members": members, "nodes": dict(sorted(nodes.items()))}


def leader_of(nodes: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Return who leads in the highest term: by its own words, or by those of who follows it where its folder is elsewhere."""
    leads = [(facts.get("term", 0), int(node)) for node, facts in nodes.items() if facts["life"] == "leader"]
    follow = [
        (facts.get("term", 0), int(facts["leader"]))
        for facts in nodes.values()
        if facts["life"] in ("follower", "learner") and facts.get("leader") and str(facts["leader"]) not in nodes
    ]
    return max(leads + follow)[1] if leads + follow else None


def _read(folder: Path) -> dict[str, Any]:
    from chatsys.runtime.status_file import read

    try:
        facts = read(place(folder))
    except OSError as error:
        raise UsageError(f"{folder / STATUS} cannot be read: {reason(error)}; {advice(error)}.") from None
    if facts is None or "node" not in facts:
        raise UsageError(
            f"{folder} has no {STATUS} of a node; name the data folder of a node that chatsys node runs, or ran."
        )
    return facts


def _life(facts: Mapping[str, Any]) -> str:
    """Return what the node is doing, in a word; one that wrote nothing for long is silent, whatever it wrote last."""
    from chatsys.runtime.status_file import OLD

    state = str(facts.get("state"))
    if state in ("stopped", "failed"):
        return state
    if facts["age"] > OLD:
        return "silent"
    return "leaving" if state == "leaving" else str(facts.get("role") or state)


# --- what `cluster up` wrote ----------------------------------------------------------------------


def _of_cluster_up(data: Path) -> dict[str, Any]:
    facts = _read_status(place(data) / STATUS)
    if facts is None:
        raise UsageError(
            f"No cluster is up in {data}; start one with chatsys cluster up --data {shlex.quote(str(data))}, or name "
            "the data folders of the nodes."
        )
    result = {key: facts[key] for key in ("leader", "members", "nodes")}
    for state in result["nodes"].values():
        state["life"] = "down" if not state["alive"] else "paused" if state["paused"] else state["role"]
        state["age"] = max(0.0, time.time() - facts["time"])
    return result


def _read_status(path: Path) -> dict[str, Any] | None:
    """Return what `cluster up` wrote last, or None if that is long ago, or never was."""
    try:
        facts = json.loads(path.read_bytes())
        fresh = abs(time.time() - facts["time"]) < 10 * REFRESH and facts.keys() >= {"leader", "members", "nodes"}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}; {advice(error)}.") from None
    return facts if fresh else None


def add_to(app: typer.Typer) -> None:
    """Add nothing to the command line: `status` is among the commands of `cluster` already."""
