"""cluster leave: let a learner go whose folder is lost, so that its id is free again.

    --data    the folder of `cluster up`: an order in the folder of each member
    --config  the file of one member: an order in its folder

A learner that runs leaves by itself when it is told to in a notebook; this is for one that cannot.  Any member that
runs and knows the learner takes the order; one whose log does not name it would drop it, so it is given to no such
member, and to nobody if no log names it.  An order that nobody takes is withdrawn: whoever takes it later might let
go of another learner, that has come under the same id since.

Read also `accepting`, the same for a member with a new disk; `protocol.learning.admission` (what leaving means).
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from chatsys.commands import AsJson, check_id_from, print_json
from chatsys.commands.accepting import give_order
from chatsys.commands.learning import MOST_IDS
from chatsys.commands.nodes import DEFAULT_DATA, IdFrom, cluster, read_text
from chatsys.errors import LogError, UsageError
from chatsys.surroundings import place


@cluster.command()
def leave(
    node: Annotated[int, typer.Argument(metavar="ID", help="The learner whose folder is lost.")],
    data: Annotated[
        Path | None, typer.Option(help="The folder that `cluster up` was given.", show_default=False)
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The YAML file of one member, on this machine.", show_default=False)
    ] = None,
    id_from: IdFrom = None,
    as_json: AsJson = False,
) -> None:
    """Let a learner go whose folder is lost, so that its id is free again.

    One member that runs is enough. What the learner had heard stays in the cluster, and in its folder if that comes
    back; that folder joins no more.

    Examples:

        chatsys cluster leave 4 --data data/cluster

        chatsys cluster leave 4 --config deploy/local/node1.yml
    """
    if data is not None and config is not None:
        raise UsageError("--data and --config were both given; name the folder of a cluster, or the file of one node.")
    if not 1 <= node <= MOST_IDS:
        raise UsageError(f"ID is {node}; give the id of a learner, a whole number from 1 to {MOST_IDS}.")
    check_id_from(id_from, config)
    folders = _folder_of(config, node, id_from) if config is not None else _folders_in(data or DEFAULT_DATA, node)
    folders = _who_know(folders, node)
    from chatsys.actor.events import RemoveLearner

    left, waiting = give_order(folders, RemoveLearner(node), one_is_enough=True)
    for one in waiting:
        with suppress(OSError):
            left[one].unlink(missing_ok=True)
    taken = [one for one in left if one not in waiting]
    if not taken:
        those = f"node {waiting[0]} is not" if len(waiting) == 1 else "none of its nodes is"
        raise UsageError(
            f"Nobody took the order to let learner {node} go, for {those} running; start one, then try again."
        )
    if as_json:
        print_json({"leaves": node, "nodes": taken})
        return
    print(
        f"node {taken[0]} has taken the order to let learner {node} go; its id is free once a leader has written that down."
    )


def _folder_of(config: Path, node: int, id_from: str | None) -> dict[int, Path]:
    """Return the data folder of the member that `config` describes."""
    from chatsys.config import read_node_config

    one = read_node_config(read_text(config), str(config), id_from)
    _check_no_member(node, one.cluster.ids)
    folder = place(one.data)
    if not folder.is_dir():
        raise UsageError(
            f"The data folder {folder} of node {one.node} is not there; an order can be left in a folder only."
        )
    return {one.node: folder}


def _folders_in(data: Path, node: int) -> dict[int, Path]:
    """Return the data folders of the members in the folder of a cluster."""
    from chatsys.check.learner_files import is_learners

    found = {int(path.name[4:]): path for path in place(data).glob("node*") if path.name[4:].isdecimal()}
    members = {one: path for one, path in sorted(found.items()) if not is_learners(path)}
    if not members:
        raise UsageError(f"There are no nodes in {data}; name the folder that cluster up was given with --data.")
    _check_no_member(node, members)
    return members


def _who_know(folders: dict[int, Path], node: int) -> dict[int, Path]:
    """Return the folders of those members whose log names this learner: others drop the order.

    Raises `UsageError` if there is none.  Whose log cannot be read here, as that of another user, may know it.
    """
    from chatsys.check.learner_files import learners_in
    from chatsys.check.log_files import NodeLog, read_log

    known: set[int] = set()
    who = dict(folders)
    for member, folder in folders.items():
        with suppress(LogError):
            log = read_log(folder)
            found = learners_in(log.entries) if isinstance(log, NodeLog) else ()
            known.update(found)
            if node not in found and log.damaged is None:
                del who[member]
    if not who:
        those = (
            f"the log of node {_and(folders)} names" if len(folders) == 1 else f"the logs of nodes {_and(folders)} name"
        )
        named = f"learner{'s' * (len(known) > 1)} {_and(sorted(known))}" if known else "no learner"
        lag = (
            f"this log may lack that; wait until node {_and(folders)} has caught up, or name another member"
            if len(folders) == 1
            else "perhaps no log has that yet; try again in a moment"
        )
        raise UsageError(f"There is no learner {node}: {those} {named}. If it has just joined, {lag}.")
    return who


def _and(ids: Iterable[int]) -> str:
    *first, last = map(str, ids)
    return f"{', '.join(first)} and {last}" if first else last


def _check_no_member(node: int, members: "dict[int, Path] | tuple[int, ...]") -> None:
    if node in members:
        known = ", ".join(map(str, members))
        raise UsageError(f"ID is {node}, which is a member ({known}); members do not leave, only learners do.")


def add_to(app: typer.Typer) -> None:
    """Add nothing to the command line: `leave` is among the commands of `cluster` already."""
