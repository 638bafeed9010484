"""Learning: what the commands say about learners, nodes that are no members.

    node --join HOST:PORT --id 4 --data DIR     be one
    cluster leave 4 --data | --config           let one go whose folder is lost

Read also `nodes` (the command `node`), `accepting` (the folders of a cluster), `runtime.joining`, `protocol.learning.admission`.
"""

from typing import TYPE_CHECKING, Any

from chatsys.errors import UsageError

if TYPE_CHECKING:
    from chatsys.runtime.joining import Newcomer

MOST_IDS = 10_000
"""Ids are small numbers, as people write them."""


def newcomer(
    join: str, node: int | None, data: str, listen: str, cluster: str, id_from: str | None = None
) -> "Newcomer":
    """Return the learner that these options speak of; raises `UsageError` for what cannot be one."""
    if not join:
        raise UsageError(
            "Neither --config nor --join was given; name this node's YAML file, or the address of a node whose cluster "
            "this one shall join as a learner."
        )
    if id_from is not None:
        raise UsageError(
            "--join and --id-from were both given; a learner has no name among the members: give its --id."
        )
    if node is None or not 1 <= node <= MOST_IDS:
        told = "is missing" if node is None else f"is {node}"
        raise UsageError(f"--id {told}; give the id of the learner, a whole number from 1 to {MOST_IDS}, no member's.")
    if not data.strip() or "\0" in data:
        raise UsageError("--data is missing; name the folder of the learner, for example data/node4.")
    if not cluster.strip():
        raise UsageError("--cluster is empty; give the name of the cluster, for example chat.")
    from chatsys.runtime.joining import Newcomer

    return Newcomer(node=node, asks=join, data=data, listen=listen, cluster=cluster)


def check_no_learner(given: dict[str, Any]) -> None:
    """Raise `UsageError` if an option of a learner was given beside a config file."""
    if wrong := next((name for name, value in given.items() if value not in ("", None)), None):
        raise UsageError(f"--config and {wrong} were both given; a member reads its file, and a learner has none.")
