"""Lab 06: nodes that number messages, whose leader crashes or sleeps, in which the student's class inherits and refuses.

The highest node leads when all begin, in the term of its number.  A message is one when the leader has given it a number;
each follower shows the messages in the order of their numbers, as soon as it has them; the author is answered `ok` when
all followers that are up have it, and only then the leader shows it as well.

    a frame of a leader (Numbered, Collect, Heartbeat, WholeLog) --> admits(kind, term, sender) --no--> refused, as if it never came
    a leader that is silent for 2.5 s --> Collect --> answers of all that are up --> lead(term, answers) --> goes out again
    Wish --> order(author, post, text) --> Numbered to all

Who leads after whom is given: the highest node that hears nothing begins first, in the next term of its own, for the terms
are dealt out as in lab 05.  A leader that hears of a newer term follows it.  A node that was away (paused) is sent the
whole log by the new leader as soon as it is heard again.  Nothing is kept on a disk: who crashed stays down.

Assumes   nothing of the class: what it returns is checked, and what makes no sense stops its node with a sentence; no message
          between two nodes that are up is lost, and an answer to a Collect takes less than 0.3 s.
Promises  what changes a log has passed `admits`; a number goes out only by an answer of the class.
Read also `frames` (the words), `asking` (what the class is asked), `checks` (who judges), `protocol.fence` and `protocol.succession` (those of the real chat).
"""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Append, Deliver, Delivery, Note, Send
from chatsys.actor.events import Say
from chatsys.actor.words import Words
from chatsys.config import ClusterConfig
from chatsys.teach.labs.lab06.asking import FailsOver, checked_bool, checked_list, checked_one
from chatsys.teach.labs.lab06.frames import (
    FENCED,
    Collect,
    Here,
    Holdings,
    InHand,
    LeaderLives,
    Numbered,
    Okay,
    WholeLog,
    Wish,
    kind_of,
)
from chatsys.teach.labs.prints import heard

BEAT = 0.8
"""Seconds between two heartbeats of a leader."""
SILENCE, IN_TURN = 2.5, 0.4
"""A follower suspects its leader after so many seconds of silence, and so many more for each node above it."""
COLLECTING = 0.3
"""A new leader waits so long for answers, at most."""
AGAIN = 1.0
"""Every so many seconds a person says again what has no answer."""
GONE = 4
"""Who has not answered so many heartbeats in a row is not up."""


class HasLived(msgspec.Struct, frozen=True, tag="BEGUN", tag_field="type"):
    """Durable: this node has lived."""


class Repeat(msgspec.Struct, frozen=True, tag="REPEAT", tag_field="type"):
    """A command to a node: a person who gave up elsewhere says here what they said there."""

    author: str
    post: int
    text: str


class FailingOver(Actor):
    """A node of the lab."""

    messages = (Numbered, Wish, InHand, Okay, Collect, Holdings, LeaderLives, Here, WholeLog)
    records: ClassVar[tuple[type[msgspec.Struct], ...]] = (HasLived,)
    words: ClassVar[Words] = Words(numbered="NUMBERED", number="seq")
    fails_over: ClassVar[Callable[[int], FailsOver]]

    def __init__(self, me: Address, config: ClusterConfig, random: Random) -> None:
        super().__init__(me, config, random)
        self.nodes = list(config.ids)
        self.others = [node for node in config.ids if node != me]
        self.leader: Any = config.ids[-1]
        self.term: int = config.ids[-1]
        self.role = "up"
        self.entries: dict[int, Numbered] = {}
        """What this node holds, by number."""
        self.screen: list[tuple[str, int]] = []
        """What is shown here under the numbers 1, 2, ...: (author, post), or ("", 0) where a number is void."""
        self.said: dict[str, int] = {}
        self.wishes: dict[tuple[str, int], str] = {}
        """What people said here and was not answered."""
        self.open: dict[int, set[Address]] = {}
        """At the leader: the numbers that not all have yet, and who has them."""
        self.doubtful: set[int] = set()
        """What is not shown here when another one begins to lead: nobody may see it until the new leader confirms it."""
        self.asked: dict[tuple[str, int], tuple[int, set[Address]]] = {}
        """At the leader: under which number an unanswered post goes out, and whom to answer."""
        self.missed: dict[Address, int] = {}
        """At the leader: how many heartbeats in a row each other node has not answered."""
        self.told: dict[Any, list[Numbered]] = {}
        """While this node collects: what the others hold."""
        self.expected: set[Any] = set()
        """... and who is expected to answer."""
        self.mine: Any = None

    # --- doors -----------------------------------------------------------------------------

    def recover(self, records: Iterable[msgspec.Struct]) -> None:
        """Stay away, if there was a life before."""
        self.role = "out" if any(True for _ in records) else "up"

    def start(self, now: float) -> list[Any]:
        """Make the student's object; the highest node leads."""
        if self.role == "out":
            return [Note("role", role="out", reason="who crashed stays down in this lab")]
        self.mine = type(self).fails_over(self.me)  # type: ignore[arg-type]
        self.alarms.set("again", now + AGAIN)
        if self.me == self.leader:
            nothing: dict[Any, list[Numbered]] = {node: [] for node in self.nodes}
            return [Append(HasLived()), *self._lead(nothing, now)]
        return [Append(HasLived()), *self._follow(self.leader, self.term, now)]

    def on_command(self, command: msgspec.Struct, now: float) -> list[Any]:
        """Somebody says something here, for the first time or again."""
        match command:
            case Say(text=text, author=author) if self.role != "out":
                author = f"{author}@{self.me}"
                self.said[author] = self.said.get(author, 0) + 1
                return self._wish_here(author, self.said[author], text, now)
            case Repeat(author, post, text) if self.role != "out":
                return self._wish_here(author, post, text, now)
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> list[Any]:
        """Ask the class about the frames of leaders; do what the frame says."""
        if self.role == "out":
            return []
        if isinstance(message, FENCED):
            return self._from_a_leader(sender, message, now)
        match message:
            case Wish(author, post, text) if self.role == "leader":
                return self._order(sender, author, post, text)
            case InHand(term, number) if self.role == "leader" and term == self.term and number in self.open:
                self.open[number].add(sender)
                return self._settle()
            case Holdings(term, entries) if self.role == "nominating" and term == self.term:
                self.told[sender] = list(entries)
                return self._lead(self.told, now) if self._all_answered() else []
            case Here(behind) if self.role == "leader":
                return self._hear(sender, behind)
            case Okay(number, author, post):
                return self._answered(number, author, post)
        return []

    def on_alarm(self, name: Any, now: float) -> list[Any]:
        """Beat, suspect, lead with the answers that are there, or say again."""
        match name:
            case "beat":
                return self._beat(now)
            case "silence":
                return self._claim(now)
            case "collect":
                return self._lead(self.told, now)
        self.alarms.set("again", now + AGAIN)
        return [one for (author, post), text in list(self.wishes.items()) for one in self._wish(author, post, text)]

    def view(self) -> tuple[int, str]:
        """Return the term and the role."""
        return self.term, self.role

    def status(self) -> dict[str, Any]:
        """Return what a card of the panel shows."""
        return {
            "role": self.role, "term": self.term, "leader": self.leader, "ready": self.role != "nominating",
            "last": max(self.entries, default=0), "commit": len(self.screen), "delivered": self._count(),
        }  # fmt: skip

    # --- people ----------------------------------------------------------------------------

    def _wish_here(self, author: str, post: int, text: str, now: float) -> list[Any]:
        self.wishes[author, post] = text
        return [
            Note("submit", author=author, client=author, client_seq=post, text=text),
            *self._wish(author, post, text),
        ]

    def _wish(self, author: str, post: int, text: str) -> list[Any]:
        if self.role == "leader":
            return self._order(self.me, author, post, text)
        return [] if self.leader is None else [Send(self.leader, Wish(author, post, text))]

    def _answered(self, number: int, author: str, post: int) -> list[Any]:
        text = self.wishes.pop((author, post), None)
        if text is None:
            return []
        return [Note("ack", msg_no=number, author=author, client=author, client_seq=post, text=text)]

    # --- a follower ------------------------------------------------------------------------

    def _from_a_leader(self, sender: Address, message: Any, now: float) -> list[Any]:
        """Let the class decide whether this frame passes, and obey it."""
        kind, number = kind_of(message), getattr(message, "number", None)
        if not checked_bool(self.mine.admits(kind, message.term, sender)):
            what = f"{kind} {f'#{number} ' * (number is not None)}of term {message.term}"
            return [Note("refuses", peer=sender, message=kind, seq=number, entry_term=message.term, reason=what)]
        told: list[Any] = []
        if message.term > self.term or (self.role == "nominating" and message.term >= self.term):
            told = self._follow(sender, message.term, now)
        elif self.role == "follower" and (sender, message.term) == (self.leader, self.term):
            self._listen(now)
        match message:
            case Numbered():
                self._hold(message)
                return [*told, Send(sender, InHand(message.term, message.number)), *self._show()]
            case Collect(term):
                return [*told, Send(sender, Holdings(term, tuple(self._held())))]
            case LeaderLives():
                return [*told, Send(sender, Here(bool(self.doubtful)))]
        self._take_over(message)
        in_hand = [Send(sender, InHand(message.term, one.number)) for one in message.entries]
        return [*told, *in_hand, *self._show()]

    def _hold(self, entry: Numbered) -> None:
        """Keep this message, unless another one with its number is of a higher term."""
        held = self.entries.get(entry.number)
        if held is None or entry.term >= held.term:
            self.entries[entry.number] = entry
            self.doubtful.discard(entry.number)

    def _held(self) -> list[Numbered]:
        return [self.entries[number] for number in sorted(self.entries)]

    def _take_over(self, log: Any) -> None:
        """After an absence hold what the leader holds, and nothing else but what is newer."""
        mine = {number: one for number, one in self.entries.items() if one.term == log.term}
        self.entries = {one.number: one for one in log.entries} | mine
        self.doubtful.clear()

    def _show(self) -> list[Any]:
        """Show what follows on the last number shown; the leader shows what all others have."""
        effects: list[Any] = []
        while (one := self.entries.get(len(self.screen) + 1)) is not None:
            if one.number in self.open or one.number in self.doubtful:
                break
            if one.text is None:
                self.screen.append(("", 0))
                effects.append(Note("void", seq=one.number))
                continue
            self.screen.append((one.author, one.post))
            effects.append(
                Deliver(
                    Delivery(
                        one.number, self._count(), one.author, one.text,
                        entry_term=one.term, client=one.author, client_seq=one.post,
                    )
                )
            )  # fmt: skip
        return effects

    def _count(self) -> int:
        """Return how many messages are shown here."""
        return sum(author != "" for author, _ in self.screen)

    def _follow(self, leader: Address, term: int, now: float) -> list[Any]:
        self.role, self.leader, self.term = "follower", leader, term
        self.doubtful |= {number for number in self.entries if number > len(self.screen)}
        self.open, self.asked = {}, {}
        self.alarms.clear("beat", "collect")
        self._listen(now)
        return [Note("follow", peer=leader, term=term, role=self.role)]

    def _listen(self, now: float) -> None:
        above = len([node for node in self.nodes if self.leader != node > self.me])  # type: ignore[operator]
        self.alarms.set("silence", now + SILENCE + IN_TURN * above)

    # --- a new leader ----------------------------------------------------------------------

    def _claim(self, now: float) -> list[Any]:
        """The leader is silent: ask all others what they hold, in the next term that belongs to this node."""
        suspected, many = self.leader, len(self.nodes)
        self.role, self.leader = "nominating", None
        self.term += 1 + (self.me - self.term - 1) % many  # type: ignore[operator]
        self.expected = {node for node in self.others if node != suspected}
        self.told = {}
        self.alarms.set("collect", now + COLLECTING)
        told = [Note("suspect", peer=suspected, reason=f"nothing was heard of node {suspected}"), Note("nominate")]
        return [*told, *(Send(node, Collect(self.term)) for node in self.others)]

    def _all_answered(self) -> bool:
        return self.expected <= self.told.keys()

    def _lead(self, answers: dict[Any, list[Numbered]], now: float) -> list[Any]:
        """Let the class say what goes out again; from now on this node numbers."""
        answers = {**answers, self.me: self._held()}
        asked = {node: list(answers[node]) for node in sorted(answers)}
        again = checked_list(self.mine.lead(self.term, asked))
        self.role, self.leader = "leader", self.me
        self.alarms.clear("silence", "collect")
        self.missed = {node: 0 if node in answers else GONE for node in self.others}
        self.open, self.asked, self.doubtful = {}, {}, set()
        for one in again:
            self._hold(one)
            self.open[one.number] = set()
        effects: list[Any] = [Note("lead", term=self.term, role=self.role)]
        effects += [Send(node, one) for one in again for node in self.others]
        return [*effects, *self._beat(now)]

    def _order(self, sender: Address, author: str, post: int, text: str) -> list[Any]:
        """Let the class give the number; what has one already is only answered again."""
        one = checked_one(self.mine.order(author, post, text))
        held = self.entries.get(one.number)
        known = _same(held, one)
        if known and one.number not in self.open:
            return self._okay(sender, one.number, author, post)
        before = self.asked.get((author, post), (0, set()))[1]
        self.asked[author, post] = one.number, before | {sender}
        if known:
            return []
        self._hold(one)
        self.open[one.number] = set()
        return [*(Send(node, one) for node in self.others), *self._settle()]

    def _okay(self, node: Address, number: int, author: str, post: int) -> list[Any]:
        return self._answered(number, author, post) if node == self.me else [Send(node, Okay(number, author, post))]

    def _settle(self) -> list[Any]:
        """What all others have that are up is answered, and shown here as well."""
        living = {node for node, missed in self.missed.items() if missed < GONE}
        effects: list[Any] = []
        for number in sorted(number for number, have in self.open.items() if living <= have):
            del self.open[number]
            for (author, post), nodes in [(who, to) for who, (at, to) in self.asked.items() if at == number]:
                del self.asked[author, post]
                effects += [one for node in sorted(nodes, key=str) for one in self._okay(node, number, author, post)]
        return [*effects, *self._show()]

    def _beat(self, now: float) -> list[Any]:
        self.alarms.set("beat", now + BEAT)
        self.missed = {node: missed + 1 for node, missed in self.missed.items()}
        return [*(Send(node, LeaderLives(self.term)) for node in self.others), *self._settle()]

    def _hear(self, sender: Address, behind: bool) -> list[Any]:
        """A node is up; if it was away, or led before, send it everything."""
        away, self.missed[sender] = self.missed[sender] >= GONE, 0
        if not away and not behind:
            return []
        entries = tuple(msgspec.structs.replace(one, term=self.term) for one in self._held())
        return [Send(sender, WholeLog(self.term, entries))]


def _same(held: Any, one: Numbered) -> bool:
    """Tell whether two messages are the same but for their term."""
    return held is not None and msgspec.structs.replace(held, term=one.term) == one


def fail_over(fails_over: Any) -> type[FailingOver]:
    """Return the actor of this lab with the student's class in it: `World(seed, actor=fail_over(MyFailOver))`."""
    name = getattr(fails_over, "__name__", "FailOver")
    own = {"fails_over": staticmethod(fails_over), "__doc__": FailingOver.__doc__}
    return heard(type(f"FailingOverWith{name}", (FailingOver,), own))
