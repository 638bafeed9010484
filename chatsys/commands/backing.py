"""cluster backup, cluster restore: copies of data folders, and what is made of them.

Read also `runtime.backup` (what is copied, and why a restored folder has a new name), `accepting` (cluster accept).
"""

from pathlib import Path
from typing import Annotated

import typer

from chatsys.commands import AsJson, check_id_from, print_json
from chatsys.commands.nodes import IdFrom, cluster, read_text
from chatsys.errors import UsageError


@cluster.command()
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The data folder of a node, which may run.")],
    to: Annotated[Path, typer.Argument(metavar="TO", help="A new or an empty folder for the backup.")],
    as_json: AsJson = False,
) -> None:
    """Copy the data folder of a node, which may go on running; the copy is read again before this says that it is made.

    The copy has everything that the node's disk had synced for sure. chatsys verify reads it as any folder.

    Example:

        chatsys cluster backup data/local/node1 backups/node1-monday
    """
    from chatsys.runtime.backup import back_up

    made = back_up(folder, to)
    if as_json:
        print_json({"backup": str(to), "node": made.node, "cluster": made.cluster, "entries": made.entries,
                    "committed": made.committed, "bytes": made.bytes, "sha256": made.sha256})  # fmt: skip
        return
    print(
        f"{to}: node {made.node} of the cluster {made.cluster!r}, {made.entries} entries, {made.committed} of them known "
        f"to be committed, {made.bytes} bytes; read again, and whole."
    )


@cluster.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that cluster backup made.")],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The new data folder; left out with --config.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The YAML file of the node whose backup it is.")] = None,
    id_from: IdFrom = None,
    as_json: AsJson = False,
) -> None:
    """Make a backup into the data folder of its node, under a new identity; the others have to accept it.

    What the node promised and acknowledged after the backup is not in it, so the others refuse it until each of
    them is told to accept it, as they would an empty folder. deploy/README.md says when that is safe.

    Examples:

        chatsys cluster restore backups/node2-monday data/local/node2

        chatsys cluster restore backups/node2-monday --config deploy/local/node2.yml
    """
    from chatsys.config import read_node_config
    from chatsys.runtime.backup import restore as make

    check_id_from(id_from, config)
    one = None if config is None else read_node_config(read_text(config), str(config), id_from)
    if folder is None and one is None:
        raise UsageError("Neither DIR nor --config was given; name the folder that the backup is to be restored into.")
    into = folder if folder is not None else Path(one.data if one else "")
    made = make(source, into, one.node if one else None, one.cluster.cluster if one else None)
    if as_json:
        print_json({"folder": str(into), "node": made.node, "cluster": made.cluster, "entries": made.entries})
        return
    print(
        f"{into}: node {made.node} with {made.entries} entries, under a new identity. Tell each of the others to accept "
        f"it (chatsys cluster accept {made.node} --config FILE), then start it, and wait until it has caught up."
    )


def add_to(app: typer.Typer) -> None:
    """Add nothing to the command line: both are among the commands of `cluster` already."""
