"""Sessions: each message of a client is delivered exactly once, in the client's order.

A client opens a session in the log and numbers its messages; a retry carries the same pair
(client_id, client_seq), so the leader recognises it.  The session table is a function of the log
alone: every node computes the same one while it delivers.

    SUBMIT (c, 7)   7 = last + 1   give it a number        (c, 7) again   wait, or answer `ok`
                    7 > last + 1   gap: an earlier one is missing
    follower        passes it on to the leader and remembers whom to answer

Why a number is needed at all.  A client that hears nothing cannot know which of the two was lost, its
question or the answer, so it must ask again, and only the nodes can see that it did:

    ann says "hi" to 3, as (c, 7); 3 numbers it, commits it, and answers `ok`
    the answer is lost with node 3, and 2 leads; ann says (c, 7) again, to 2
    2 delivered the entry too, so (c, 7) stands in its table: it answers `ok`, and numbers nothing

Without the pair node 2 would see a text like any other, and everybody would read "hi" twice (C7).  That
the next leader knows the pair is the point: a table in the memory of node 3 would be gone with it.
(Raft, section 8, has serial numbers; Viewstamped Replication its client table.)

Three tables of positions, from old to new.  `table` is what was delivered: all nodes have the same.
`ahead` is what stands in the leader's log beyond that: numbered, perhaps never committed, so a retry
of it waits.  `waiting` is whom to answer when a pair is delivered; it is no promise, and is turned
away (`redirect`, ask again) whenever the lead changes.

A way there and a way back.  A client may speak to any node.  A follower passes its SUBMIT on, writes
its own id into `via`, and remembers the client's link in `waiting`; the leader answers node `via`, which
knows the link.  If the answer is lost the follower can still give it, for it delivers the entry as
well.  It never keeps a SUBMIT for a later leader: the client asks again anyhow, and then two copies
would be under way.  While two nodes take each other for the leader a SUBMIT could go round for ever,
so it is passed on at most `MAX_HOPS` times.

Assumes   a committed entry stays committed: `ok` is said only then.
Promises  exactly once and in order per session (Liskov 2012, section 4; Raft dissertation 6.3).
Read also `client` (the other end), `ordering` (who numbers), `forwarding` (whom to answer), `subscribers` (who listens).
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Deliver, Effects, Note, Send
from chatsys.actor.events import DiskSpace, LinkDown, Stop
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Order, Release, Yield
from chatsys.protocol.messages import Entry, Submit, SubmitReply, SubmitStatus, Subscribe
from chatsys.protocol.part import Part
from chatsys.protocol.public import Heard, public
from chatsys.protocol.serving.answers import answers
from chatsys.protocol.serving.delivery_run import DeliveryRun
from chatsys.protocol.serving.forwarding import Forwarding, Pair
from chatsys.protocol.serving.subscribers import PAUSE, Subscribers
from chatsys.protocol.session_table import SessionTable, refusal
from chatsys.protocol.state import NodeState

MAX_HOPS = 2


class Sessions(Part):
    """Answers clients, delivers what is committed, and pushes it to subscribers."""

    handles = (Submit, SubmitReply, Subscribe, LinkDown)
    table_class: ClassVar[type[SessionTable]] = SessionTable
    """What knows the sessions and their messages."""

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.limits = config.limits
        self.table = self.table_class(self.limits.sessions)
        self.delivered = 0
        """The last position handed on; barriers and sessions count too."""
        self.chat: list[int] = []
        """The positions of delivered chat entries: `chat[msg_no - 1]`."""
        self.ahead: dict[str, list[int]] = {}
        """Leader: positions of sessions' messages that are in the log but not delivered yet."""
        self.scanned = 0
        """Leader: `ahead` covers the log up to here."""
        self.held: list[tuple[Address, Submit]] = []
        """Leader, not ready yet: what to take up then."""
        self.forwarding = Forwarding(self.limits.forwarded)
        """Whom to answer once a pair is delivered."""
        self.subscribers = Subscribers(self.limits)

    # --- SUBMIT ----------------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Serve a client, pass its message on, or pass its answer back."""
        match message:
            case Submit():
                return self._submit(sender, message, now)
            case SubmitReply():
                return self.forwarding.pass_back(sender, message)
            case Subscribe():
                self.subscribers.take(sender, message, len(self.chat))
            case LinkDown():
                self.subscribers.forget(sender)
        return []

    def on_command(self, command: msgspec.Struct, now: float) -> Effects:
        """Learn from the host whether the disk still has room, or that a life ends that was told to stand down."""
        if isinstance(command, Stop) and self.state.leaving:
            return self._turn_away("this node stops")  # SPECIFICATION R6.19
        if not isinstance(command, DiskSpace) or command.low == self.state.low:
            return []
        self.state.low = command.low  # SPECIFICATION R6.13
        return [Note("space", reason="low" if command.low else "room again")]

    def _submit(self, sender: Address, submit: Submit, now: float) -> Effects:
        state = self.state
        if submit.client_seq == 0:
            submit = msgspec.structs.replace(submit, room="", author="", text="", session=0)  # SPECIFICATION R10.10
        elif wrong := refusal(submit.room, submit.author, submit.text, self.limits):
            return [self._reply(sender, submit, *wrong)]
        if state.leaving and (state.handing_over or not state.leads):
            return self._keep_for_the_next(sender, submit)
        if not state.leads:
            return self._pass_on(sender, submit, now)
        if state.handing_over:  # SPECIFICATION R6.10
            return [self._reply(sender, submit, "redirect", "another node is about to lead")]
        if state.low:  # SPECIFICATION R10.7
            return [self._reply(sender, submit, "busy", "the leader's disk is almost full")]
        if not state.ready:
            if len(self.held) >= self.limits.waiting_submits:  # SPECIFICATION R10.7
                return [self._reply(sender, submit, "busy", "the new leader is not ready yet")]
            self.held.append((sender, submit))
            return []
        return self._admit(sender, submit)

    def _keep_for_the_next(self, sender: Address, submit: Submit) -> Effects:
        """This node gave the lead away and is about to stop: keep the message until the next leader is known, then name it."""
        if self.state.leader not in (None, self.state.me):
            return [self._reply(sender, submit, "redirect", "this node is about to stop")]
        if len(self.held) >= self.limits.waiting_submits:  # SPECIFICATION R10.7
            return [
                self._reply(sender, submit, "busy", "this node is about to stop, and the next leader is not known yet")
            ]
        self.held.append((sender, submit))  # SPECIFICATION R6.18
        return []

    def _admit(self, sender: Address, submit: Submit) -> Effects:
        """The leader's rule: new ones are numbered, repeated ones wait or are answered. SPECIFICATION R10.3.

        Known is not committed: a number that stands in the log ahead of what was delivered may still be
        replaced by another leader.  So a repeated message gets its `ok` only if it was delivered, and
        waits otherwise.  A number beyond the next is refused and not kept: the missing one may have
        been lost, and whoever kept the later ones would need a bound and a date for them.
        """
        known, ahead = self._positions(submit.client_id)
        count, number = len(known) + len(ahead), submit.client_seq
        if number > 0 and not self.table.is_session(submit.session, known or ahead):
            return [self._reply(sender, submit, "unknown_session", "open a session first")]
        if self.leaves_gap(number, count):
            return [self._reply(sender, submit, "gap", f"message {count} of this session is missing")]
        if number >= count:
            return self.number(sender, (submit,))
        return self._answer_again(sender, submit, known[number] if number < len(known) else ahead[number - len(known)])

    def leaves_gap(self, number: int, count: int) -> bool:
        """Tell whether a message with this number came too early: after `count` of its session it must be the next."""
        return number > count

    def next_run(self, messages: Sequence[msgspec.Struct], start: int) -> Sequence[Submit]:
        """Return the messages from `start` on that `_admit` would have numbered, one after the other, if there are any.

        They are of one session, and follow on each other and on what stands in the log.
        """
        state, first = self.state, messages[start]
        if type(first) is not Submit or first.client_seq == 0 or not state.ready:
            return ()
        if state.low or state.handing_over:
            return ()
        known, ahead = self._positions(first.client_id)
        number = len(known) + len(ahead)
        run: list[Submit] = []
        for submit in islice(messages, start, None):
            if type(submit) is not Submit or (submit.client_id, submit.client_seq) != (first.client_id, number):
                break
            if not self.table.is_session(submit.session, known or ahead) or refusal(
                submit.room, submit.author, submit.text, self.limits
            ):
                break
            run.append(submit)
            number += 1
        return run

    def number(self, sender: Address, run: Sequence[Submit]) -> Effects:
        """Ask for new messages to be numbered, in their order, and note whom to answer once they are delivered."""
        drafts = []
        for submit in run:
            self._await((submit.client_id, submit.client_seq), submit.via or sender)
            kind: Any = "chat" if submit.client_seq else "session"
            said = (submit.client_id, submit.client_seq, submit.room, submit.author, submit.text)
            drafts.append(Entry(0, 0, kind, *said, session=submit.session))
        return [Order(*drafts)]

    def _answer_again(self, sender: Address, submit: Submit, seq: int) -> Effects:
        """Answer a repeated message, which stands at `seq`; if that is not committed yet, let it wait."""
        entry = self.log.entry(seq)
        if (entry.text, entry.room, entry.author) != (submit.text, submit.room, submit.author):
            return [self._reply(sender, submit, "conflict", f"number {submit.client_seq} was another message")]
        if self.may_say_ok(seq):
            return answers([(submit.via or sender, entry, self._message_number(entry))])
        self._await((submit.client_id, submit.client_seq), submit.via or sender)
        return []

    def may_say_ok(self, seq: int) -> bool:
        """Tell whether the message at `seq` is committed and delivered: until then it may still be replaced."""
        return seq <= self.delivered  # SPECIFICATION R10.4

    def _positions(self, client: str) -> tuple[list[int], list[int]]:
        """Return where this session's messages stand in the whole log: those delivered, those not yet.

        The second list is read from the log and not remembered from SUBMITs, so a new leader knows what
        its predecessor numbered.  Each entry is looked at once in a leadership.
        """
        for entry in self.log.since(max(self.scanned, self.delivered)):  # SPECIFICATION R10.2
            if entry.client_id:
                if self.table.continues(entry, ahead := self.ahead.setdefault(entry.client_id, [])):
                    ahead.append(entry.seq)
        self.scanned = self.log.last_seq
        return self.table.sessions.get(client, []), self.ahead.get(client, [])

    def _pass_on(self, sender: Address, submit: Submit, now: float) -> Effects:
        """A follower forwards to the leader it knows, and never queues. SPECIFICATION R10.8."""
        leader = self.state.leader
        if leader is None or leader in self.state.down:
            return [self._reply(sender, submit, "busy", "no leader is known here; an election may be under way")]
        if submit.hops >= MAX_HOPS or leader == sender:
            return [self._reply(sender, submit, "redirect", "the leader changed")]
        via = submit.via
        if via == 0:
            via = self.state.me
            self._await((submit.client_id, submit.client_seq), sender)
            if "sweep" not in self.alarms:
                self.alarms.set("sweep", now + self.timing.client_retry_max)
        return [Send(leader, msgspec.structs.replace(submit, via=via, hops=submit.hops + 1))]

    # --- answering -------------------------------------------------------------------------

    def _await(self, pair: Pair, link: Address) -> None:
        self.forwarding.wait(pair, link, bounded=not self.state.leads)

    def _reply(self, link: Address, submit: Submit, status: SubmitStatus, reason: str) -> Send:
        state = self.state
        leader = state.leader_info if status == "redirect" and state.leader != state.me else None
        reply = SubmitReply(submit.client_id, submit.client_seq, status, reason, leader=leader)
        return Send(submit.via or link, reply)

    def _message_number(self, entry: Entry) -> int:
        """Return which message of the chat this delivered entry is; 0 if it opened a session."""
        return bisect_left(self.chat, entry.seq) + 1 if entry.kind == "chat" else 0

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Go on with the past; forget forwarded messages that nobody answered: the client has retried by now."""
        if name == "push":
            self.subscribers.go_on()
        if name == "sweep" and not self.state.leads and self.forwarding.sweep():
            self.alarms.set("sweep", now + self.timing.client_retry_max)
        return []

    def lead(self, now: float) -> Effects:
        """Number from the table of the whole log; those who wait for an older leader ask again."""
        self.ahead, self.scanned = {}, self.delivered
        self.alarms.clear("sweep")
        return self._turn_away("this node leads now")  # SPECIFICATION R10.9

    def follow(self, now: float, decision: Yield) -> Effects:
        """Whoever waits is told to ask again: what became of the message is not known here."""
        self.ahead, self.scanned = {}, 0
        if decision.slept:
            self.held = []
        if self.state.leaving:
            return self._hand_on(now)
        return self._turn_away("the leader changed")  # SPECIFICATION R10.9

    def _hand_on(self, now: float) -> Effects:
        """Give the next leader what was kept for it.

        Who waits for what this node has numbered goes on waiting: the next leader has it most probably, so this
        node delivers it in a moment and can say `ok`.
        """
        if self.state.leader in (None, self.state.me):
            return []
        held, self.held = self.held, []
        return [
            effect for sender, submit in held for effect in self._pass_on(sender, submit, now)
        ]  # SPECIFICATION R6.18

    def _turn_away(self, reason: str) -> Effects:
        """Tell all who wait to ask again; the pair they repeat makes that harmless, whatever became of it.

        Node 3 led and has numbered (c, 7); now it follows 2.  Perhaps 2 has copied the entry and will commit
        it, perhaps 2 gives the position to another one.  Node 3 cannot tell, so it says neither `ok` nor
        that the message is lost.  `redirect` promises nothing.
        """
        effects: Effects = [self._reply(link, submit, "redirect", reason) for link, submit in self.held]
        leader = self.state.leader_info
        for (client, number), links in self.forwarding.take_all():
            reply = SubmitReply(client, number, "redirect", reason, leader=leader)
            effects += [Send(link, reply) for link in links]
        self.held = []
        return effects

    # --- delivering ------------------------------------------------------------------------

    def deliver(self, now: float) -> Effects:
        """Hand on what is committed, in order, once; then take up what waited for readiness."""
        if self.log.rewound is not None:
            self._rebuild(self.log.rewound)  # SPECIFICATION R1.5
        effects = self._deliver_to(self.log.commit)
        if self.state.ready and self.held:
            held, self.held = self.held, []
            effects += [Release(sender, submit) for sender, submit in held]
        return effects

    def _deliver_to(self, last: int) -> Effects:
        """Deliver what stands behind the last position handed on, up to `last`: one run, and what it brings about.

        SPECIFICATION R10.12.
        """
        run: list[Entry] = []
        awaited: list[tuple[Address, Entry, int]] = []
        effects: Effects = []
        for entry in self.log.since(self.delivered, last):
            self.delivered = entry.seq
            if entry.kind == "chat" or entry.kind == "session":
                effects += self._take_up(entry, run, awaited)
        if run:
            effects.insert(0, Deliver.made(DeliveryRun(run, len(self.chat))))
        return [*effects, *answers(awaited)] if awaited else effects  # SPECIFICATION R10.17

    def _take_up(self, entry: Entry, run: list[Entry], awaited: list[tuple[Address, Entry, int]]) -> Effects:
        """Enter a committed entry into the table; if it is new, it is delivered with `run`, and `awaited` if somebody waits."""
        verdict = self.table.apply(entry)  # SPECIFICATION R10.5
        if self.ahead:
            self._caught_up(entry, verdict)
        waits = self.forwarding.waiting or self.forwarding.older
        links = self.forwarding.answerable((entry.client_id, entry.client_seq)) if waits else []
        if verdict != "new":
            client = public(entry.client_id)
            return [Note("duplicate", seq=entry.seq, client=client, client_seq=entry.client_seq, reason=verdict)]
        msg_no = 0
        if entry.kind == "chat":
            self.chat.append(entry.seq)
            msg_no = self.state.messages = len(self.chat)
            run.append(entry)
        for link in links:
            awaited.append((link, entry, msg_no))  # SPECIFICATION R10.4
        return []

    def _caught_up(self, entry: Entry, verdict: str) -> None:
        """What is delivered stands in the table now; an expired session has nothing ahead any more."""
        ahead = self.ahead.get(entry.client_id, [])
        if ahead[:1] == [entry.seq]:
            del ahead[0]
        if verdict == "unknown" or not ahead:
            self.ahead.pop(entry.client_id, None)

    def _rebuild(self, voided: int) -> None:
        """Unsafe clusters only: delivered entries were voided; begin again from before them."""
        self.log.rewound = None
        if voided > self.delivered:
            return
        self.delivered = self.state.messages = 0
        self.chat = []
        self.table = self.table_class(self.limits.sessions)
        self._deliver_to(voided - 1)

    # --- subscribers -----------------------------------------------------------------------

    def settle(self, now: float) -> Effects:
        """Push to every subscriber what is new, and of the past a frame from time to time, within its credit; also who leads."""
        if self.log.rewound is not None:
            self._rebuild(self.log.rewound)
        leader = self.state.me if self.state.leads else self.state.trusted or 0
        effects, more = self.subscribers.push(len(self.chat), self._numbered, leader)
        if more and "push" not in self.alarms:
            self.alarms.set("push", now + PAUSE)
        return effects

    def _numbered(self, number: int, room: str | None) -> tuple[Heard, int] | None:
        """Return message `number` as a listener of `room` is shown it, and its size; None if it is of another room."""
        entry = self.log.entry(self.chat[number - 1])
        return (self.shown(entry), entry.size) if room is None or entry.room == room else None

    def shown(self, entry: Entry) -> Heard:
        """Return what a listener is told of an entry."""
        said = (entry.room, entry.author, entry.text, entry.time)
        return Heard(entry.seq, *said, public(entry.client_id), entry.client_seq)  # SPECIFICATION R10.14
