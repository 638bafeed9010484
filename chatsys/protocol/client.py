"""The retrying client: says each message until it knows what became of it.

It opens a session, numbers its messages, sends them in order, and repeats what is not answered,
rotating from node to node.  `ok` means committed.  Only if the cluster forgot the session does a
message end as *indeterminate*: perhaps delivered, perhaps not; it is never said twice.

    Say --> SUBMIT(c, 7) --> ok                    done
                         --> redirect, busy, gap   again, soon (maybe elsewhere)
                         --> nothing               again, later, elsewhere; that node is avoided for a while
                         --> unknown_session       indeterminate; open a new session

Why it asks again, and the network does not see to it.  A connection carries bytes to the other machine
or breaks.  Whether the message was numbered, committed and delivered only the nodes know, and the one
that knew may be gone.  So the ends must repeat and recognise, whatever the network does in between
(Saltzer, Reed and Clark, *End-to-End Arguments in System Design*, 1984).

Several messages under way, and still in order.  One at a time, each message would wait for a few
frames and a sync.  So up to `window` are under way, and may overtake each other:

    client   SUBMIT 7 is slow, and SUBMIT 8 overtakes it
    leader   7 is the next number, so 8 is answered `gap` and not kept; then 7 comes, and its `ok` leaves
    client   8 is the lowest one under way now, and is sent again

What was answered `gap` waits in `early` for its turn.  To repeat it at once would only bring the next
`gap`, for as long as 7 is missing.  If 7 was lost, the next repetition brings both, in their order.

Why an indeterminate message is not said again.  The pair makes a repetition harmless only as long as
the nodes remember the session.  Once they have forgotten it, a message may have been delivered or not.
Under a new session it would be new in any case, and perhaps be read twice.  To leave it unsaid may be
wrong as well, and only its author can choose; so the author is told.

Assumes   nothing of the nodes but the frames; it is an actor and runs in every world.
Promises  what it calls acknowledged is in the order of messages, once, for ever; an answer costs the
          same however many messages are under way.
Read also `patience` (how long it waits, and whom it avoids); `reading` (what a listener has seen); `sessions` (the
          other end); `clients.line` (a terminal around it).
"""

from collections import deque
from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from chatsys.actor.actor import Actor, Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.actor.events import LinkDown, LinkUp, Say
from chatsys.config import ClusterConfig
from chatsys.protocol.listening.reading import Cursor, Reread
from chatsys.protocol.messages import NODE_MESSAGES, Delivered, Submit, SubmitReply
from chatsys.protocol.patience import Patience
from chatsys.protocol.public import public
from chatsys.protocol.session_table import refusal

GAPS_TO_BELIEVE = 3  # SPECIFICATION R11.4
"""So many answers `gap` in a row to the lowest open message mean that the cluster lost the session;
fewer may be late answers to an earlier sending, when it was not the lowest yet."""


class Client(Actor):
    """One user's end of the chat.

    `home` is the node to speak to first; a `sticky` client speaks to no other.  With `listen` it
    subscribes, and notes every message it sees: all of them, or from the `newest` so many on.  `window` bounds
    the messages under way.
    """

    messages = NODE_MESSAGES

    def __init__(
        self,
        me: Address,
        config: ClusterConfig,
        random: Random,
        *,
        home: int | None = None,
        sticky: bool = False,
        listen: bool = False,
        newest: int = 0,
        window: int = 16,
    ) -> None:
        super().__init__(me, config, random)
        self.timing = config.timing
        self.target = home if home is not None else random.choice(config.ids)
        self.sticky, self.listen, self.window = sticky, listen, window
        self.client_id = f"{random.getrandbits(128):032x}"
        """The secret of this session: whoever knows it can speak in it, so nothing but SUBMIT carries it."""
        self.session = 0
        """Where the log opened the session; 0: it is not open."""
        self.opening = False
        self.links: set[int] = set()
        self.queue: deque[Say] = deque()
        """Said, but not numbered yet."""
        self.under_way: dict[int, Say] = {}
        """Numbered and not answered finally: client_seq -> message."""
        self.due: set[int] = set()
        """Those of them that are to be sent once more: all after a change of plan, otherwise none or one."""
        self.early: set[int] = set()
        """Those that arrived before an earlier one: each is sent again when it is the lowest."""
        self.doubts = 0
        """How many times in a row even the lowest open message was called early."""
        self.next_number = 1
        self._lowest = 1
        """No number below this one is under way."""
        self.patience = Patience(config.timing, random)
        self.cursor = Cursor(newest)
        self.heard_from: int | None = None
        """The node that was asked to push messages."""
        self.leader: int | None = None
        """Who leads, as the node at hand says (SPECIFICATION R10.16); it is shown, and nothing depends on it."""

    @property
    def idle(self) -> bool:
        """Whether every message said so far has found its end."""
        return not self.queue and not self.under_way

    @property
    def lowest(self) -> int:
        """The lowest number under way, 0 if there is none."""
        if not self.under_way:
            return 0
        while self._lowest not in self.under_way:  # numbers only rise, so each is passed once
            self._lowest += 1
        return self._lowest

    # --- doors -----------------------------------------------------------------------------

    def on_command(self, command: msgspec.Struct, now: float) -> Effects:
        """Take a message to say, and refuse at once what no cluster could accept; or read something again."""
        if isinstance(command, Reread) and self.cursor.again(command):
            self.heard_from = None
        if not isinstance(command, Say):
            return []
        author = command.author or str(self.me)
        wrong = refusal(command.room, author, command.text, self.config.limits)
        if wrong is not None:
            return [Note("reply", text=command.text[:80], reason=f"{wrong[0]}: {wrong[1]}")]
        self.queue.append(msgspec.structs.replace(command, author=author))
        return []

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Learn of links, answers, and messages of the chat."""
        match message:
            case LinkUp() if isinstance(sender, int):
                return self._link_up(sender, now)
            case LinkDown() if isinstance(sender, int):
                self.links.discard(sender)
                self.heard_from = self.leader = None
                if sender == self.target:
                    self._again(now, elsewhere=True)
            case SubmitReply(client_id=self.client_id):
                self.patience.heard(sender)
                return self._answered(sender, message, now)
            case Delivered() if sender == self.target:
                return self._see(message)
        return []

    def settle(self, now: float) -> Effects:
        """Send whatever may be sent: the session first, then messages in their order.  SPECIFICATION R11.1."""
        if self.target not in self.links:
            self._rotate(now)
        if self.target not in self.links:
            return []
        effects = self._subscribe(now)
        if self.idle and not self.opening:
            return effects
        effects += list(self._send_due()) if self.session else self._open(now)
        if "retry" not in self.alarms and "soon" not in self.alarms:  # SPECIFICATION R11.7
            self._set_retry(now)
        return effects

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Nothing came back: try again, at another node if this one stays silent. SPECIFICATION R11.2."""
        match name:
            case "retry" if not self.idle:
                self.patience.heard_nothing(self.target, {self.target} if self.sticky else self.links, now)
                self._rotate(now)
                self._plan_again()
            case "soon":
                self._plan_again()
            case "listen":
                self.heard_from = None
        return []

    # --- sending ---------------------------------------------------------------------------

    def _open(self, now: float) -> Effects:
        if self.opening or "soon" in self.alarms:
            return []
        self.opening = True
        return [Send(self.target, Submit(self.client_id, 0))]

    def _send_due(self) -> Iterator[Any]:
        if "soon" in self.alarms:
            return
        for number in sorted(self.due):
            yield self._submit(number, self.under_way[number])
        self.due.clear()
        while self.queue and len(self.under_way) < self.window:
            said = self.queue.popleft()
            number = self.next_number
            self.next_number += 1
            self.under_way[number] = said
            yield self._note("submit", number, said, peer=self.target)
            yield self._submit(number, said)

    def _submit(self, number: int, said: Say) -> Send:
        text = (said.room, said.author, said.text)
        return Send(self.target, Submit(self.client_id, number, *text, session=self.session))

    def _note(self, kind: str, number: int, said: Say, **more: Any) -> Note:
        return Note(
            kind,
            client=public(self.client_id),
            client_seq=number,
            room=said.room,
            author=said.author,
            text=said.text,
            **more,
        )

    # --- being answered --------------------------------------------------------------------

    def _answered(self, sender: Address, reply: SubmitReply, now: float) -> Effects:
        number = reply.client_seq
        if reply.status == "ok":
            return self._done(reply, now)
        if number not in self.under_way and not (number == 0 and not self.session):
            return []
        reason = f"{reply.status}: {reply.reason}" if reply.reason else reply.status
        effects: Effects = [Note("reply", client=public(self.client_id), client_seq=number, peer=sender, reason=reason)]
        lowest = self.lowest
        match reply.status:
            case "unknown_session":
                return effects + self._forgotten(now)
            case "gap" if number != lowest:
                self.early.add(number)
                return effects
            case "gap":
                self.doubts += 1
                if self.doubts >= GAPS_TO_BELIEVE:
                    return effects + self._forgotten(now)
            case "conflict" | "denied" | "too_large":
                return effects + self._forgotten(now)
        self._follow_up(sender, reply, now)
        return effects

    def _follow_up(self, sender: Address, reply: SubmitReply, now: float) -> None:
        """Plan the next try after an answer that brought nothing: where it points to, and soon.  SPECIFICATION R11.3."""
        leader = None if reply.leader is None else reply.leader.node
        if not self.sticky and reply.status == "redirect":
            for node in (leader, sender):  # who says so is there, and will soon know more
                if node in self.links and node not in self.patience.silent:
                    self.target = int(node)
                    break
        self._again(now, elsewhere=reply.status == "busy")

    def _done(self, reply: SubmitReply, now: float) -> Effects:
        self.doubts = 0
        self.patience.forget()
        if reply.client_seq == 0:
            if not self.session:  # a late copy may have opened it once more
                self.session, self.opening = reply.seq, False  # SPECIFICATION R11.6
                self.alarms.clear("retry", "soon")
            return []
        first = reply.client_seq
        run = range(first, first + reply.count)
        known = [first] if reply.count == 1 and first in self.under_way else [n for n in self.under_way if n in run]
        if not known:
            return []
        effects: Effects = []
        lowest_too = self.lowest in known
        for number in known:
            said, at = self.under_way.pop(number), number - first
            self.due.discard(number)
            effects.append(self._note("ack", number, said, seq=reply.seq + at, msg_no=reply.msg_no + at))
        if (lowest := self.lowest) in self.early:
            self.early.remove(lowest)
            self.due.add(lowest)
        if not self.under_way or "soon" in self.alarms:
            self.alarms.clear("retry")
        elif lowest_too or "retry" not in self.alarms:  # SPECIFICATION R11.2: else the lowest one waits on
            self._set_retry(now)
        return effects

    def _forgotten(self, now: float) -> Effects:
        """The session is lost: what is under way stays unknown for good. SPECIFICATION R11.5.

        The new session has a new id, too, for the old one may still be open (after `conflict`, say).  Its
        numbers are taken: the next message 1 would be answered with what became of the first one.
        """
        effects: Effects = [self._note("indeterminate", number, said) for number, said in self.under_way.items()]
        self.under_way, self.due, self.early = {}, set(), set()
        self.next_number, self._lowest, self.doubts = 1, 1, 0
        self.client_id = f"{self.random.getrandbits(128):032x}"
        self.session, self.opening = 0, False
        self._again(now, elsewhere=False)
        return effects

    # --- trying again ----------------------------------------------------------------------

    def _set_retry(self, now: float) -> None:
        self.alarms.set("retry", now + self.patience.wait())  # SPECIFICATION R11.2

    def _again(self, now: float, elsewhere: bool) -> None:
        """Try again after a short pause that grows while it brings nothing; nothing else is waited for meanwhile.

        If the alarm `retry` went on, it could ring during the pause, and send the client elsewhere: to the
        node, perhaps, whose silence is the reason for all this.
        """
        self.alarms.clear("retry")
        if "soon" in self.alarms:
            return
        if elsewhere:
            self._rotate(now)
        self.alarms.set("soon", now + self.patience.pause())

    def _plan_again(self) -> None:
        self.due = set(self.under_way)
        self.early.clear()
        self.opening = False
        self.alarms.clear("retry")

    def _rotate(self, now: float) -> None:
        """Go on to the next node whose link is up and that was not silent, in the order of ids and round again.

        A cut does not break a link, so silence is often the only sign: the node at hand may sit with a
        minority, while the next one reaches the leader.
        """
        if self.sticky:
            return
        others = self.links - self.patience.avoided(now) - {self.target}
        if not others and self.target not in self.links:
            others = self.links
        self.target = min(others, key=lambda node: (node <= self.target, node), default=self.target)

    # --- listening -------------------------------------------------------------------------

    def _link_up(self, node: int, now: float) -> Effects:
        self.links.add(node)
        self.patience.silent.clear(node)
        if self.target not in self.links:
            self._rotate(now)
        if node == self.target:
            self.heard_from = None
            self._plan_again()
        return []

    def _subscribe(self, now: float) -> Effects:
        """Ask the node at hand for what comes after the cursor; again from time to time, in case it was lost."""
        if not self.listen or self.heard_from == self.target:
            return []
        self.heard_from = self.target
        self.alarms.set("listen", now + self.timing.client_retry_max)
        return [Send(self.target, self.cursor.request())]

    def _see(self, delivered: Delivered) -> Effects:
        effects: Effects
        self.leader = delivered.leader or None
        effects, asks = self.cursor.take(delivered)
        return [*effects, Send(self.target, self.cursor.request())] if asks else effects
