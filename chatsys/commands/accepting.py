"""cluster accept: tell the other nodes that a node has a new disk.

    --data    the folder of `cluster up`: an order in the folder of each other node
    --config  the file of one other node: an order in its folder

A node takes the order when it looks next, or when it starts; the command waits a little, and says what became of it.

Read also `runtime.orders` (the files), `protocol.identity` (what accepting means), `nodes` (the other commands).
"""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from chatsys.commands import AsJson, check_id_from, print_json
from chatsys.commands.nodes import DEFAULT_DATA, IdFrom, cluster, read_text
from chatsys.errors import UsageError
from chatsys.surroundings import place

PATIENCE = 5.0
"""Seconds that the command waits for nodes to take its order; they look every second."""


@cluster.command()
def accept(
    node: Annotated[int, typer.Argument(metavar="ID", help="The node that has a new disk.")],
    data: Annotated[
        Path | None, typer.Option(help="The folder that `cluster up` was given.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The YAML file of one other node, on this machine.", show_default=False)
    ] = None,
    id_from: IdFrom = None,
    as_json: AsJson = False,
) -> None:
    """Tell the other nodes that a node has a new disk, so that they take it in.

    Each of the others has to hear of it, so give this command on each machine. It is safe while the others have
    a leader that is ready, and once for each lost disk: wait until the new disk has caught up.

    Examples:

        chatsys cluster accept 2 --data data/cluster

        chatsys cluster accept 2 --config deploy/local/node1.yml
    """
    if data is not None and config is not None:
        raise UsageError("--data and --config were both given; name the folder of a cluster, or the file of one node.")
    check_id_from(id_from, config)
    folders = _folder_of(config, node, id_from) if config is not None else _folders_in(data or DEFAULT_DATA, node)
    from chatsys.actor.events import Accept

    left, waiting = give_order(folders, Accept(node))
    if as_json:
        print_json({"accepts": node, "nodes": {str(one): "waits" if one in waiting else "taken" for one in left}})
        return
    for one in left:
        later = "is not running, or is busy: it takes the order when it looks next, at the latest when it starts"
        print(
            f"node {one} {later if one in waiting else f'has taken the order to accept the new disk of node {node}'}."
        )


def give_order(folders: dict[int, Path], order: Any, one_is_enough: bool = False) -> tuple[dict[int, Path], list[int]]:
    """Leave an order in the folder of each node, and wait a little; return the files, and which nodes have not taken it."""
    from chatsys.runtime.orders import leave as leave_order

    left = {one: leave_order(folder, order) for one, folder in folders.items()}
    end = time.monotonic() + PATIENCE
    done = any if one_is_enough else all
    while not done(not path.exists() for path in left.values()) and time.monotonic() < end:
        time.sleep(0.1)
    return left, [one for one, path in left.items() if path.exists()]


def _folder_of(config: Path, node: int, id_from: str | None) -> dict[int, Path]:
    """Return the data folder of the node that `config` describes, if it can accept `node`."""
    from chatsys.config import read_node_config

    one = read_node_config(read_text(config), str(config), id_from)
    ids = ", ".join(map(str, one.cluster.ids))
    if node not in one.cluster.ids:
        raise UsageError(f"ID is {node}, which is not a member; the members are {ids}.")
    if node == one.node:
        raise UsageError(
            f"{config} is the file of node {node} itself; the others have to accept it: name one of theirs."
        )
    return {one.node: _there(place(one.data), one.node)}


def _folders_in(data: Path, node: int) -> dict[int, Path]:
    """Return the data folders of all nodes but `node` in the folder of a cluster."""
    from chatsys.check.learner_files import is_learners

    found = {int(path.name[4:]): path for path in place(data).glob("node*") if path.name[4:].isdecimal()}
    found = {one: path for one, path in found.items() if not is_learners(path)}
    if not found:
        raise UsageError(f"There are no nodes in {data}; name the folder that cluster up was given with --data.")
    if node not in found:
        raise UsageError(
            f"ID is {node}, and there is no such node in {data}; there are {', '.join(map(str, sorted(found)))}."
        )
    return {one: path for one, path in sorted(found.items()) if one != node}


def _there(folder: Path, node: int) -> Path:
    if not folder.is_dir():
        raise UsageError(
            f"The data folder {folder} of node {node} is not there; an order can be left in a folder only."
        )
    return folder


def add_to(app: typer.Typer) -> None:
    """Add nothing to the command line: `accept` is among the commands of `cluster` already."""
