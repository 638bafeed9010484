"""Learners: a member's side of JOIN and LEAVE by those who are no members.

A learner is a durable listener.  It asks any node; the leader orders an entry `learner`, like a message, and from
then on every node knows it by that entry.  It counts in no quorum, rank or expiry, for no member asks it anything.

    learner 4 --JOIN(4, folder 9f)--> 1 --passed on--> 3 leads: Order(learner{4, 9f})
              <--JOIN_ACK(waiting)--  1                   committed: every node's table has it
              --JOIN, again---------> 1
              <--JOIN_ACK(ok)-------  1

Nothing waits here for an answer: a JOIN may be lost, repeated or late, because the learner says it again until it
hears `ok`, and goes on saying it as long as it listens.  For the answer tells it more: whether the node that it
listens to has a leader, and how many messages there are.

Who may refuse.  A follower's table may be older than the leader's: it may still have learner 4 on a folder that
has left since.  So may the table of a leader that has a successor already and does not know it.  So only a leader
that is ready, that a quorum answered lately and that does not hand over says that an id is taken, or that there are
enough learners; the answer goes back the way the JOIN came.  That a folder has left for ever, or that an id is a
member's, any node knows.

Why an address changes once a minute at most.  Somebody may start two copies of one folder at two addresses.  Each says
JOIN every heartbeat, and each JOIN would be a change of the address: the log would grow for ever, and nobody speaks.
Both are served all the same, since an address decides nothing; and both are told.

Why the folder's name is what makes a learner.  An emptied folder comes back under the same id with a new name, and it
has forgotten what it passed on and who was served by it.  It is refused, as an emptied member is, until people say that
the old one is gone (LEAVE).  Only the learner and the members know the name, so nobody else can say LEAVE for it.

Assumes   the transport says who is a member; whoever else speaks has no authority here.
Promises  the table is the same on every node for the same committed log; an id names one folder from its JOIN
          to its LEAVE.
Read also `learner` (the other end), `table` (what the entries mean), `membership` (JOIN between members).
"""

from random import Random
from typing import Any, ClassVar

import msgspec

from chatsys.actor.actor import Address
from chatsys.actor.effects import Effects, Note, Send
from chatsys.config import ClusterConfig
from chatsys.protocol.decisions import Order
from chatsys.protocol.learning.table import LearnerTable
from chatsys.protocol.messages import Entry, Join, JoinAck, JoinStatus, LearnerInfo, Leave
from chatsys.protocol.part import Part
from chatsys.protocol.state import NodeState

MAX_HOPS = 2
ASKED = 64
"""So many of the latest lives whose JOIN was passed on are remembered, to give an answer back."""
MOVED = 60.0
"""For so many seconds after it ordered a change of a learner's address a leader orders no other one."""
SHOWN = 8
"""Digits of a folder's name that people and traces may see: enough to tell it from another, too few to say LEAVE."""


class Learners(Part):
    """Takes learners in and lets them go."""

    handles = (Join, JoinAck, Leave)
    table_class: ClassVar[type[LearnerTable]] = LearnerTable

    def __init__(self, state: NodeState, config: ClusterConfig, random: Random) -> None:
        super().__init__(state, config, random)
        self.config = config
        self.table = self._new_table()
        self.applied = 0
        """The last position whose entry the table knows."""
        self.asked: dict[str, Address] = {}
        """Whose JOIN or LEAVE was passed on: the nonce of the life that asked -> its link."""
        self.passed = 0
        """How many were passed on since the last heartbeat's time began."""
        self.noted: dict[Address, None] = {}
        """Whose refusal the trace was told of."""
        self.removing: dict[int, str] = {}
        """Learners that people want to be gone, and on which folder they were."""

    def _new_table(self) -> LearnerTable:
        return self.table_class(self.config.limits.learners, self.state.members.ids)

    # --- the table -------------------------------------------------------------------------

    def start(self, now: float) -> Effects:
        """Read what is known to be committed."""
        return self.read()

    def read(self) -> Effects:
        """Take in what has been committed since."""
        if self.log.rewound is not None and self.log.rewound <= self.applied:  # SPECIFICATION R1.5
            self.table, self.applied = self._new_table(), 0
        effects: Effects = []
        entries = self.log.entries
        for place in range(self.applied, self.log.commit):
            if (entry := entries[place]).learner is not None:
                effects.append(self._note(entry, self.table.apply(entry)))
        self.applied = max(self.applied, self.log.commit)
        return effects

    def settle(self, now: float) -> Effects:
        """In an unsafe cluster committed entries may be voided; then begin again."""
        return self.read() if self.log.rewound is not None else []

    def _note(self, entry: Entry, verdict: str) -> Note:
        assert entry.learner is not None, "it is an entry of a learner"
        info = entry.learner
        return Note("learner", seq=entry.seq, peer=info.node, text=info.identity[:SHOWN], reason=verdict)

    # --- being asked -----------------------------------------------------------------------

    def on_message(self, sender: Address, message: msgspec.Struct, now: float) -> Effects:
        """Answer those who are no members, or pass on what they ask."""
        of_member = sender in self.state.members
        if isinstance(message, Join | Leave) and message.via and not of_member:
            message = msgspec.structs.replace(message, via=0)  # only a member passes on
        match message:
            case Join() if message.via or not of_member:
                return self._join(sender, message, now)
            case Leave():
                return self._leave(sender, message, now)
            case JoinAck(nonce=nonce) if of_member and nonce in self.asked:
                return [Send(self.asked.pop(nonce), message)]
        return []

    def _join(self, sender: Address, join: Join, now: float) -> Effects:
        """Take in, wait, or refuse; whose JOIN was passed on is answered only if that is the end of it."""
        info = LearnerInfo(join.node, join.identity, join.address)
        if not info.identity or info.node in self.state.members:
            return self._stranger(sender, join)
        verdict = self.table.judge(info)
        if verdict == "left":
            reason = f"learner {info.node} has left, and its folder ({info.identity[:SHOWN]}..) joins no more; an empty folder joins anew"
            return [self._answer(join.via or sender, join, "left", reason)]
        if verdict in ("taken", "full") and self.may_refuse():
            return self._refuse(join.via or sender, join, verdict)
        effects: Effects = []
        reason = ""
        if verdict != "void":
            effects, reason = self._ask_for(sender, join, Entry(0, 0, "learner", learner=info), now)
        if join.via == 0:  # SPECIFICATION R19.2
            effects.append(self._answer(sender, join, "ok" if verdict in ("void", "moved") else "waiting", reason))
        return effects

    def may_refuse(self) -> bool:
        """Tell whether this node knows what is committed, and that no other one leads: then its table is the latest."""
        state = self.state
        return state.ready and state.lease_valid and not state.handing_over  # SPECIFICATION R19.3

    def _leave(self, sender: Address, leave: Leave, now: float) -> Effects:
        """Let a learner go that names its folder; it says LEAVE until it hears that it has left."""
        info = LearnerInfo(leave.node, leave.identity)
        if info.identity in self.table.left:
            return [self._answer(sender, leave, "left")] if leave.via == 0 else []
        effects, reason = self._ask_for(sender, leave, Entry(0, 0, "leave", learner=info), now)
        return [*effects, self._answer(sender, leave, "waiting", reason)] if leave.via == 0 else effects

    def _ask_for(self, sender: Address, asked: Join | Leave, draft: Entry, now: float) -> tuple[Effects, str]:
        """Order this entry as the leader, or pass on what was asked; return what is said meanwhile, too."""
        state, info = self.state, draft.learner
        assert info is not None, "it is an entry of a learner"
        if not state.leads:
            return self._pass_on(sender, asked, now)
        if not state.ready:
            return [], "the new leader is not ready yet"
        if state.handing_over or state.low:
            return [], "the leader hands over, or its disk is almost full"
        if not state.lease_valid:
            return [], "no quorum has answered the leader lately, and another one may lead"
        ahead = [entry.learner.node for entry in self.log.since(self.applied) if entry.learner is not None]
        if info.node in ahead:  # SPECIFICATION R19.2
            return [], "an entry about it is on its way"
        verdict = self.table.judge(info) if draft.kind == "learner" else ""
        if verdict == "new" and self.table.lacks_room(len(ahead)):
            return [], "others are about to be taken in"
        if verdict == "moved" and ("moved", info.node) in self.alarms:
            return [], f"the address of learner {info.node} has just changed; do two copies of its folder run?"
        if verdict == "moved":
            self.alarms.set(("moved", info.node), now + MOVED)  # SPECIFICATION R19.11
        if draft.kind == "leave" and not self.table.lets_go(info):
            return [], f"no learner {info.node} is known by this folder"
        return [Order(draft)], "its entry is on its way"

    def _pass_on(self, sender: Address, asked: Join | Leave, now: float) -> tuple[Effects, str]:
        """Pass it on to the leader that this node trusts; it is said again anyhow, so nothing is kept but whom to answer."""
        leader = self.state.trusted
        if leader is None or leader in self.state.down:
            return [], "no leader is known here; an election may be under way"
        if asked.hops >= MAX_HOPS or leader == sender:
            return [], "the leader changed"
        if self.passed >= 2 * self.config.limits.learners:  # SPECIFICATION R19.2
            return [], "too many ask at a time"
        self.passed += 1
        if "passed" not in self.alarms:
            self.alarms.set("passed", now + self.timing.heartbeat_interval)
        if asked.nonce:
            self.asked.pop(asked.nonce, None)
            self.asked[asked.nonce] = sender
            if len(self.asked) > ASKED:
                del self.asked[next(iter(self.asked))]
        on = msgspec.structs.replace(asked, via=self.state.me, hops=asked.hops + 1)
        return [Send(leader, on)], f"node {leader} leads, and is asked"

    # --- what people decide ----------------------------------------------------------------

    def remove(self, node: int, now: float) -> Effects:
        """Let a learner go whose folder is lost: say LEAVE for it until it has left.  SPECIFICATION R19.6."""
        identity = self.known(node)
        if identity is None:
            return [Note("membership", peer=node, reason="nobody to remove: no such learner is known here")]
        self.removing[node] = identity
        return self._remove(now)

    def known(self, node: int) -> str | None:
        """Return the folder of a learner that is in, or whose entry stands in the log and may be committed already.

        After a start a node does not know of all that is committed.  Whoever looked at the table alone would find
        nobody there, and forget what people want.
        """
        ahead = (entry.learner for entry in self.log.since(self.applied) if entry.kind == "learner")
        return self.table.at(node) or next((one.identity for one in ahead if one and one.node == node), None)

    def on_alarm(self, name: Any, now: float) -> Effects:
        """Say it again; pass on as many as before."""
        match name:
            case "remove":
                return self._remove(now)
            case "passed":
                self.passed = 0
        return []

    def _remove(self, now: float) -> Effects:
        effects: Effects = []
        for node, identity in list(self.removing.items()):
            if self.known(node) != identity:
                del self.removing[node]
                continue
            draft = Entry(0, 0, "leave", learner=LearnerInfo(node, identity))
            effects += self._ask_for(self.state.me, Leave(node, identity), draft, now)[0]
        if self.removing:
            self.alarms.set("remove", now + self.timing.heartbeat_interval)
        return effects

    # --- answering -------------------------------------------------------------------------

    def _answer(self, to: Address, asked: Join | Leave, status: JoinStatus, reason: str = "", **more: Any) -> Send:
        state = self.state
        leader = state.leader_info if state.leads or state.trust else None
        number = asked.number if isinstance(asked, Join) else 0
        about: dict[str, Any] = {"reason": reason, "nonce": asked.nonce, "number": number, "messages": state.messages}
        return Send(to, JoinAck(status, state.term, state.members.ids, leader, **about | more))

    def _refuse(self, to: Address, join: Join, verdict: str) -> Effects:
        """Say why there is no room for this learner; to the member that passed it on, who knows its link."""
        if verdict == "full":
            reason = f"there are {self.config.limits.learners} learners already (limits.learners); one of them must leave first"
        else:
            known = (self.table.at(join.node) or "")[:SHOWN]
            reason = (
                f"node {join.node} is a learner already, and it keeps another data folder ({known}..). Start it on that one, "
                f"or choose another id. If that folder is lost, let it go first: leave({join.node}) in a notebook, "
                f"chatsys cluster leave {join.node} in a terminal"
            )
        return [
            self._answer(to, join, "refused", reason, code=verdict),
            *self._tell(to, join.node, reason),
        ]

    def _tell(self, link: Address, node: Address, reason: str) -> Effects:
        """Tell the trace of a refusal, once for each link: whoever is refused may ask for ever."""
        if link in self.noted:
            return []
        self.noted[link] = None
        if len(self.noted) > ASKED:
            del self.noted[next(iter(self.noted))]
        return [Note("membership", peer=node, reason=f"refused: {reason}")]

    def _stranger(self, sender: Address, join: Join) -> Effects:
        """Answer a question, or whoever takes a member's id.  SPECIFICATION R2.8."""
        known = ", ".join(map(str, self.state.members.ids))
        if join.node in self.state.members:
            reason, code = (
                f"node {join.node} is a member of this cluster; its members are {known}; choose another id",
                "member",
            )
        else:
            reason, code = f"node {join.node} is not a member of this cluster; its members are {known}", ""
        answer = self._answer(sender, join, "refused", reason, code=code, config=self.config)
        return [answer, *self._tell(sender, sender, reason)]
