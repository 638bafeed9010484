"""The board: three chat nodes that do nothing by chance, and nine moves of an adversary.

    board = ChatBoard(BUGS["no session dedup"])
    board.crash(3)               what you do
    board.suspect(2)             ... and the nodes answer, until they are at rest
    board.broken                 {"duplicate": "At 4.32 s node 1 delivered message 1 of ..."}

    say crash restart cut isolate heal suspect slow_disks power_cut

Node 3 leads term 1, and three messages are delivered.  A frame takes 2 ms and a sync 1 ms.  Nobody suspects anybody by
itself, so whatever goes wrong was a move.  A scenario, the game and the search make the same moves, so their lengths
can be compared.

Assumes   three nodes, and that the nodes are at rest between two moves: what needs a finer moment is not found here.
Promises  the same moves give the same run, on any machine; a move that cannot be made is told in a sentence.
Read also `mutants.schedules.quiet_world` (the world below), `par` (the search), `game` (by hand), `bugs`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

from chatsys.check import Violation, check
from chatsys.errors import UsageError
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.mutants.schedules.quiet_world import QuietWorld
from chatsys.teach.labs.lab11.asked import VERBS
from chatsys.teach.labs.lab11.bugs import RIGHT
from chatsys.trace import Record, Trace, trace_of

NODES = (1, 2, 3)
AUTHORS = {1: "eve", 2: "bob", 3: "ann"}
"""Who speaks at which node."""
INVARIANTS = {"agreement": "S1", "gap": "S3", "duplicate": "S4", "kept": "S7", "leaders": "S5"}
"""The five of this lab, and what the package calls them."""
SAID = ("author", "text")
MOST_MOVES = 40
REST = 0.5
"""Seconds after a move in which the nodes come to rest."""
ANSWERED = 1.5
"""Seconds after which whoever said something and was not answered has said it again."""
TRUST = 2.1
"""Seconds after which nobody trusts its leader blindly any more."""
LONG = 1.5
"""Seconds in which a node that suspects its leader leads, or has found out that it does not."""

Steps = Iterable[tuple[str, Sequence[Any], dict[str, Any]]]
Move = tuple[Any, ...]
"""A verb and its arguments: ("crash", 3), ("say", "hello", 2), ("heal",)."""


def code_of(move: Move) -> str:
    """Return a move as one writes it."""
    verb, *arguments = move
    return f"{verb}({', '.join(json.dumps(one, ensure_ascii=False, default=repr) for one in arguments)})"


class CannotNow(UsageError):
    """A move that cannot be made as things are: a node that is down cannot crash."""


class ChatBoard:
    """Three nodes with one bug, and what was done to them."""

    def __init__(self, bug: Mutant = RIGHT) -> None:
        """Begin with node 3 as the leader and three messages delivered."""
        self.bug, self.moves = bug, list[Move]()
        self.world = QuietWorld(flaw=bug)
        self.cuts: set[tuple[int, int]] = set()
        """Who sends in vain, and to whom."""
        self.left_out = list[Move]()
        """Moves of a scenario that could not be made here."""
        self.slow: set[int] = set()
        """The nodes whose disks sync nothing."""
        self.world.say("eve is here", node=1, author="eve")
        self.world.run(REST)

    # --- the moves -----------------------------------------------------------------------

    def say(self, text: str, node: int) -> None:
        """Let somebody say a text at a node that is up."""
        self._need(node, ("say", text, node), up=True)
        if not isinstance(text, str) or not 0 < len(text) <= 60:
            raise UsageError(f"{code_of(('say', text, node)):.60}: give a text of 1 to 60 letters")
        self._made("say", text, node)
        self.world.say(text, node=node, author=AUTHORS[node])
        self.world.run(ANSWERED)

    def crash(self, node: int) -> None:
        """End a node; what its disk has not synced is lost."""
        self._need(node, ("crash", node), up=True)
        self._made("crash", node)
        self.world.forget_unsynced(node)
        self.world.run(REST)

    def restart(self, node: int) -> None:
        """Begin a node anew, with what its disk holds."""
        self._need(node, ("restart", node), up=False)
        self._made("restart", node)
        self.slow.discard(node)
        self.world.unstall(node)
        self.world.restart(node)
        self.world.run(REST)

    def cut(self, sender: int, receiver: int) -> None:
        """Let nothing that one node sends reach another one; the other direction stays."""
        self._need(sender, ("cut", sender, receiver))
        self._need(receiver, ("cut", sender, receiver))
        if sender == receiver:
            raise UsageError(f"cut({sender}, {receiver}): a node has no link to itself")
        if (sender, receiver) in self.cuts:
            raise CannotNow(f"cut({sender}, {receiver}): this direction is cut already")
        self._made("cut", sender, receiver)
        self.cuts.add((sender, receiver))
        self.world.cut(sender, receiver, one_way=True)
        self.world.run(REST)

    def isolate(self, node: int) -> None:
        """Cut a node off from the two others; who speaks at it still reaches it."""
        self._need(node, ("isolate", node))
        around = around_of(node)
        if around <= self.cuts:
            raise CannotNow(f"isolate({node}): node {node} is cut off already")
        self._made("isolate", node)
        self.cuts |= around
        self.world.isolate(node)
        self.world.run(REST)

    def heal(self) -> None:
        """End all cuts."""
        if not self.cuts:
            raise CannotNow("heal(): nothing is cut")
        self._made("heal")
        self.cuts.clear()
        self.world.heal()
        self.world.run(REST)

    def suspect(self, node: int) -> None:
        """Let a node suspect its leader, and try to lead if the others let it."""
        self._need(node, ("suspect", node), up=True)
        if self.world._host(node).role == "leader":
            raise CannotNow(f"suspect({node}): node {node} leads; a leader does not suspect itself")
        self._made("suspect", node)
        self.world.run(TRUST)
        if self.world._host(node).alive and self.world._host(node).role == "follower":
            self.world.nominate(node)
        self.world.run(LONG)

    def slow_disks(self) -> None:
        """Let all disks be so busy that nothing more is synced; a node that begins anew has a quick one."""
        if len(self.slow) == len(NODES):
            raise CannotNow("slow_disks(): all disks are slow already")
        self._made("slow_disks")
        for node in NODES:
            self.slow.add(node)
            self.world.stall(node)

    def power_cut(self) -> None:
        """End all nodes at once, and begin them all anew, with quick disks."""
        self._made("power_cut")
        self.slow.clear()
        for node in NODES:
            if self.world._host(node).alive:
                self.world.forget_unsynced(node)
        for node in NODES:
            self.world.unstall(node)
            self.world.restart(node)
        self.world.run(REST)

    def _need(self, node: Any, move: Move, up: bool | None = None) -> None:
        if node not in NODES or isinstance(node, bool):
            raise UsageError(f"{code_of(move):.60}: there is no node {node!r:.40}; the nodes are 1, 2 and 3")
        if up is not None and self.world._host(node).alive is not up:
            raise CannotNow(f"{code_of(move)}: node {node} is {'down' if up else 'up'}")

    def _made(self, *move: Any) -> None:
        if len(self.moves) >= MOST_MOVES:
            raise UsageError(f"{code_of(move):.60}: an attack has at most {MOST_MOVES} moves")
        self.moves.append(move)

    # --- what there is to see ------------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """The run so far."""
        return self.world.trace

    @property
    def broken(self) -> dict[str, str]:
        """The invariants that are broken by now, each with the package's sentence."""
        return broken_in(chat_of(self.trace))

    def possible(self) -> list[Move]:
        """Return the moves that can be made now; whatever is said is said with the next letter."""
        up = [node for node in NODES if self.world._host(node).alive]
        text = "abcdefghijklmnopqrstuvwxyz"[sum(move[0] == "say" for move in self.moves) % 26]
        moves: list[Move] = [("say", text, node) for node in up]
        moves += [("crash", node) for node in up]
        moves += [("restart", node) for node in NODES if node not in up]
        moves += [("cut", *pair) for pair in permutations(NODES, 2) if pair not in self.cuts]
        moves += [("isolate", node) for node in NODES if not around_of(node) <= self.cuts]
        moves += [("heal",)] if self.cuts else []
        moves += [("suspect", node) for node in up if self.world._host(node).role == "follower"]
        moves += [("slow_disks",)] if len(self.slow) < len(NODES) else []
        return [*moves, ("power_cut",)]


def around_of(node: int) -> set[tuple[int, int]]:
    """Return all cuts around a node."""
    return {pair for pair in permutations(NODES, 2) if node in pair}


def chat_of(run: Any) -> Trace:
    """Return what people see of a run: who said, showed and answered what, who led, and which nodes came and went.

    Its records are those of these kinds, in their order, and `seq` is the number that a message has in the chat: 1, 2, 3.
    """
    seen = []
    for record in trace_of(run):
        if record.kind in ("deliver", "ack"):
            number = record.msg_no
            seen.append(Record(**_told(record, (*SAID, "client", "client_seq")), seq=number, msg_no=number))
        elif record.kind == "submit":
            seen.append(Record(**_told(record, (*SAID, "client", "client_seq"))))
        elif record.kind in ("lead", "start", "crash"):
            seen.append(Record(**_told(record, ())))
    return Trace(seen)


def _told(record: Record, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in ("time", "kind", "node", "incarnation", "term", *names)}


def in_short(found: Violation) -> str:
    """Return the sentence of a violation without codes and ids, with the numbers that messages have in the chat."""
    told = re.sub(r" \(client \w+\)", "", found.sentence.partition(": ")[2]).replace("position", "number")
    first = told if found.invariant == INVARIANTS["duplicate"] else told.partition("; ")[0]
    return first.rstrip(".") + "."


def broken_in(chat: Trace) -> dict[str, str]:
    """Return which of the five invariants a chat breaks by the package's own checks, each with its sentence."""
    found = {one.invariant: in_short(one) for one in reversed(list(check(chat)))}
    return {name: found[rule] for name, rule in INVARIANTS.items() if rule in found}


def play(bug: Mutant, moves: Iterable[Sequence[Any]]) -> ChatBoard:
    """Return a board on which these moves were made; raises `UsageError` for one that cannot be made."""
    board = ChatBoard(bug)
    for verb, *arguments in moves:
        make(board, verb, arguments, {})
    return board


def play_steps(bug: Mutant, steps: Steps, *, strict: bool = True) -> ChatBoard:
    """Return a board on which a scenario was played, as `grading.recording` writes it down.

    A wrong chat may go its own way, so that a move cannot be made there; if not `strict`, it is left out.  Raises
    `CannotNow` or `UsageError`, with the number of the move, for the first one that cannot be made.
    """
    board = ChatBoard(bug)
    for number, (verb, arguments, named) in enumerate(steps, 1):
        try:
            make(board, verb, arguments, named)
        except CannotNow as error:
            if strict:
                raise CannotNow(f"move {number} is {error}") from None
            board.left_out.append((verb, *arguments, *named.values()))
        except UsageError as error:
            raise UsageError(f"move {number} is {error}") from None
    return board


def make(board: ChatBoard, verb: str, arguments: Sequence[Any], named: dict[str, Any]) -> None:
    """Make one move; raises `UsageError` if it cannot be made."""
    if verb not in VERBS:
        raise UsageError(f"there is no move {verb!r:.40}; the moves are {', '.join(VERBS)}")
    try:
        getattr(board, verb)(*arguments, **named)
    except TypeError:
        raise UsageError(f"{code_of((verb, *arguments)):.60}: this move wants other arguments") from None
