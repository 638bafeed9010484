"""Commands around real nodes: node, cluster up, client, verify.

`cluster up` keeps `status.json` in its data folder up to date.

Read also `status` (cluster status, which reads it), `accepting` (cluster accept), `leaving` (cluster leave), `learning` (node --join), `runtime.service` (one node), `runtime.cluster` (several), `clients.opening`, `verify`.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from chatsys.commands import (
    BAD,
    HELD,
    REFUSED,
    VIOLATED,
    AsJson,
    Nodes,
    Quorum,
    counted,
    hint,
    leave,
    one_of,
    print_json,
    read_quorum,
)
from chatsys.commands.learning import check_no_learner, newcomer
from chatsys.errors import ChatsysError, ForeignLog, RefusedIdentity, UsageError
from chatsys.surroundings import UNUSABLE, cannot_write, place, reason

PANEL = "Real nodes"
STATUS = "status.json"
REFRESH = 0.5
"""Seconds between two looks at the nodes of `cluster up`."""

cluster = typer.Typer(help="Several nodes on this machine, each a process.", no_args_is_help=True)
DEFAULT_DATA = Path("data") / "cluster"
IdFrom = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The name of this machine or pod: who this is, if the file leaves node out.",
        show_default=False,
    ),
]


def node(
    config: Annotated[
        Path | None,
        typer.Option(help="This node's YAML file; deploy/local/node1.yml shows every key.", show_default=False),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show every event, heartbeats too.")] = False,
    loop: Annotated[str, typer.Option(metavar="asyncio|uvloop", help="The event loop.")] = "asyncio",
    join: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Be a learner of the cluster of this node.", show_default=False)
    ] = "",
    id: Annotated[int | None, typer.Option(help="Of a learner: its id, no member's.", show_default=False)] = None,
    data: Annotated[str, typer.Option(metavar="DIR", help="Of a learner: its folder.", show_default=False)] = "",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Of a learner: where it listens.", show_default="127.0.0.1:5000+ID")
    ] = "",
    cluster: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of a learner: the cluster's name.", show_default="chat")
    ] = None,
    log: Annotated[
        str, typer.Option(metavar="text|json", help="Lines for people, or one JSON object a line.")
    ] = "text",
    id_from: IdFrom = None,
) -> None:
    """Run one node until Ctrl-C, as in a terminal of its own or in a container.

    Each change of membership, role or term is a line on stderr, and so is a delivered message; many
    that come together are one line. With -v each of them is a line of its own. Ctrl-C or SIGTERM ends it
    in good order: a leader hands over first, for at most 2 s. A second one ends it at once.

    Examples, each in its own terminal:

        chatsys node --config deploy/local/node1.yml
        chatsys node --config deploy/local/node2.yml -v
        chatsys node --config deploy/local/node3.yml --log json

    Where one file serves all nodes, each finds its id by the name of its machine among the addresses of members:

        chatsys node --config chatsys.yml --id-from chatsys-0

    A learner is no member: it asks any node to be taken in, hears, keeps and serves every message, and has no vote.

        chatsys node --join 127.0.0.1:5001 --id 4 --data data/local/node4
    """
    from chatsys.config import read_node_config
    from chatsys.runtime.service import LOGS, LOOPS, run_node

    kind, form = one_of("--loop", loop, LOOPS), one_of("--log", log, LOGS)
    if config is None:
        new = newcomer(join, id, data, listen, "chat" if cluster is None else cluster, id_from)
        return _told(form, new.node, lambda: _run_learner(new, verbose, kind, form))
    check_no_learner({"--join": join, "--id": id, "--data": data, "--listen": listen, "--cluster": cluster})
    one = read_node_config(read_text(config), str(config), id_from)
    _told(form, one.node, lambda: run_node(one, verbose, loop=kind, log=form))


def _told(form: str, node: int, run: Callable[[], None]) -> None:
    """Run a node; where machines read its lines, say in one of them why it cannot go on."""
    try:
        run()
    except ChatsysError as error:
        if form != "json":
            raise
        from chatsys.runtime.json_lines import as_json

        hint(as_json(None, str(error), level="error", node=node, event="failed").rstrip())
        leave(REFUSED if isinstance(error, RefusedIdentity | ForeignLog) else BAD)


def _run_learner(one: Any, verbose: bool, loop: str, log: str) -> None:
    from chatsys.runtime.joining import run_learner

    run_learner(one, verbose, loop=loop, log=log)


def read_text(path: Path) -> str:
    """Return the text of a file; raises `UsageError` with one sentence."""
    try:
        return place(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text.") from None
    except UNUSABLE as error:
        raise UsageError(f"{path} cannot be read: {reason(error)}.") from None


@cluster.command()
def up(
    nodes: Nodes = 3,
    quorum: Quorum = "majority",
    data: Annotated[Path, typer.Option(help="Folder of the nodes' logs.")] = DEFAULT_DATA,
) -> None:
    """Start local nodes and keep them running until Ctrl-C.

    Examples:

        chatsys cluster up

        chatsys cluster up --nodes 5 --data data/five
    """
    count = read_quorum(quorum, nodes)
    from chatsys.runtime.cluster import Cluster

    data = place(data)
    with Cluster(nodes, "processes", count, data=data) as running:
        members = {str(node): address for node, address in running.config.members.items()}
        for node, address in members.items():
            print(f"node {node} listens on {address}, log in {data}")
        hint(f"Talk to it: chatsys client --port {members['1'].rpartition(':')[2]}    Ctrl-C stops all nodes.")
        _watch(running, data / STATUS, members)


def _watch(running: Any, path: Path, members: dict[str, str]) -> None:
    """Tell every change of leader, and keep the status file fresh, until Ctrl-C."""
    from chatsys.runtime.terminal import Terminal

    before: Any = ()
    trouble, at = "", 0
    tellers = {node: Terminal(lambda line: None) for node in running.nodes}
    try:
        while True:
            status = running.status()
            news, at = running.trace.news(at)
            for node, state in status.items():
                tellers[node]([record for record in news if record.node == node])
                state["said"] = tellers[node].said
            facts = {"pid": os.getpid(), "time": time.time(), "members": members, "leader": running.leader}
            said, trouble = trouble, _keep_status(path, facts | {"nodes": status})
            if trouble and trouble != said:
                hint(f"{trouble} The nodes go on; cluster status cannot show them.")
            now = tuple((node, state["alive"], state["role"], state["term"]) for node, state in status.items())
            if now != before:
                told = ", ".join(f"{node}: {role or 'down'} (term {term})" for node, alive, role, term in now)
                print(f"nodes  {told}", flush=True)
                before = now
            time.sleep(REFRESH)
    except KeyboardInterrupt:
        hint("\nStopping all nodes.")
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _keep_status(path: Path, facts: dict[str, Any]) -> str:
    """Write the status file anew, as a whole or not at all; return why it cannot be done, or ""."""
    fresh = path.with_suffix(".new")
    try:
        fresh.write_text(json.dumps(facts))
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        return cannot_write(path, error)
    return ""


def client(
    host: Annotated[str, typer.Option(help="Where a node listens.")] = "127.0.0.1",
    port: Annotated[
        list[int] | None,
        typer.Option(min=1, max=65535, help="Port of any node; may be repeated.", show_default="5001, 5002, 5003"),
    ] = None,
    name: Annotated[str, typer.Option(help="The name that others see.")] = "",
    room: Annotated[str, typer.Option(help="The room to speak in.")] = "main",
    cluster: Annotated[str, typer.Option(help="Name of the cluster, as in its config.")] = "chat",
    plain: Annotated[bool, typer.Option("--plain", help="One line after the other, as in a pipe.")] = False,
) -> None:
    """Chat in a terminal: type a line to say it, /help for the rest, Ctrl-D to leave.

    A message is marked once it is acknowledged: from then on every node delivers it, for ever.
    In a pipe, in a terminal without a cursor, or with --plain it is one line after the other.

    Examples:

        chatsys client --port 5001 --name ann
        echo hello | chatsys client --port 5003
    """
    from chatsys.clients import opening

    place = f"[{host}]" if ":" in host else host
    addresses = [f"{place}:{number}" for number in port or (5001, 5002, 5003)]
    leave(opening.main(addresses, name or os.environ.get("USER") or "guest", room, cluster, plain))


def verify(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Data folders of nodes of one cluster.")],
    as_json: AsJson = False,
) -> None:
    """Compare the log files of nodes: do they agree, is one torn or damaged?

    A difference in what is committed is a violation. A tail that is not committed yet may differ.

    Example:

        chatsys verify data/local/node1 data/local/node2 data/local/node3
    """
    from chatsys.check.log_files import verify as compare

    result = compare(folders)
    if as_json:
        print_json(result)
    else:
        _tell_logs(result)
    leave(HELD if result["ok"] else VIOLATED)


def _tell_logs(result: dict[str, Any]) -> None:
    for folder, facts in result["nodes"].items():
        notes = [
            f"learner {facts['learner']}, {counted(facts['entries'], 'message')}"
            if "learner" in facts
            else counted(facts["entries"], "entry", "entries")
        ]
        notes += [f"{facts['uncommitted_tail']} of them not known to be committed"] * bool(facts["uncommitted_tail"])
        notes += [facts["warning"]] if "warning" in facts else []
        notes += [f"DAMAGED at line {facts['damaged']}"] * (facts["damaged"] is not None)
        print(f"{folder}: {', '.join(notes)}")
    if result["first_difference"]:
        print(result["first_difference"]["sentence"])
    print(_verdict(result))


def _verdict(result: dict[str, Any]) -> str:
    """Say in one line whether the logs agree, and how far."""
    messages = counted(result["messages"], "message")
    if result["ok"]:
        return f"held: {messages} in one order"
    differs = result["first_difference"]
    if differs and differs["committed"]:
        return f"VIOLATED: {messages} in one order, then the logs disagree, from position {differs['seq']} on"
    damaged = [folder for folder, facts in result["nodes"].items() if facts["damaged"] is not None]
    if len(damaged) == len(result["nodes"]):
        return f"VIOLATED: damaged, up to there {messages}"
    return f"VIOLATED: {', '.join(damaged)} damaged; {messages} in one order in what can be read elsewhere"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(rich_help_panel=PANEL)(node)
    app.add_typer(cluster, name="cluster", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(client)
    app.command(rich_help_panel=PANEL)(verify)
