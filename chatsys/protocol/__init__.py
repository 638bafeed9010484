"""The chat protocol: a leader gives every message its number, and the nodes agree on who leads.

This package is a book, and each module is a chapter.  It knows no network, no disk, no clock and no
thread.  A node is an object that takes in what happened and returns what is to be done; a *world*
(the simulator, a search, a real process) does it.  So all worlds run these very objects.

Read the contract first, `chatsys.actor`: the doors through which a world speaks to an actor, and the
effects that a door returns (10 minutes).  Then the chapters in reading order; the core path is marked
with a star and takes an hour and three quarters:

      messages       the frames: what nodes and clients say to each other                   10 min
      public         what strangers may see of a session                                     2 min
    * part           what the parts of a node have in common                                 2 min
    * decisions      what a part wants of its siblings                                       5 min
      members        who counts, and how many of them are enough                             2 min
      log            positions, labels, and the marks commit <= verified <= last            10 min
    * state          the six roles and the moves between them; term, promise, leader         5 min
    * failure        heartbeats, silence, trust; a leader that nobody answers                10 min
    * election       Bully: who gets to try to lead                                         10 min
    * succession     promises and the best log: why the one who leads is safe               15 min
      departure      how a leader leaves, so that nobody has to find out that it is gone     5 min
      fence          what happens to a frame of an older or a newer term                    10 min
    * ordering       numbers, copies, commit; the follower's side of it                     25 min
      holdback       frames that overtook others                                             5 min
      catchup        long gaps, and the way around a cut link                               10 min
    * sessions       once and in order for each client; what `ok` means                     20 min
      session_table  the table that every node computes from its log                         5 min
      client         the other end: says it again until it is known what became of it       15 min
      patience       how long the client waits for whom, and what the waits add up to        5 min
      storage        the records of the log                                                  5 min
      recovery       what a durable log means                                                5 min
      membership     greetings, and the first leader of a fresh cluster                      5 min
      identity       whose disk it is: remember each member's, and refuse another one       10 min
    * node           the parts together: one `match` is the page of the whole protocol      15 min

Three rooms are beside the house: `serving`, what a node does for whoever speaks and listens; `listening`, how far
a listener has read; and `learning`, listeners with a disk of their own, who are no members (30 min; chapter 19 of
the specification).

Beside them lies SPECIFICATION.md: every rule with a number and its reason.  Where a line obeys a
rule, its number stands there.  Look it up when you ask yourself why.


Persist, send, deliver: the contract of a world
-----------------------------------------------

Whoever writes a world has four duties:

1. Call one door at a time (`start`, `on_message`, `on_time`, `on_command`) with a `now` that never
   goes back, and `on_time` no later than `deadline`.  Call `settle` once at the end of each turn.
2. Carry out the effects in their order.  *Persist* an Append: hand its records to the disk.  *Send* a
   frame only when every record before it is durable; an `Outbox` does the counting, and lets the few
   frames pass that promise nothing (`overtakes_disk`).  *Deliver* at
   once: what is committed is on the disks of a quorum, so it need not wait for this one.
3. Lose and delay frames between nodes as you like, but never one that a node sends to itself; drop
   it only with the life that sent it.
4. After a crash make a new node, give `recover` the durable records, and nothing else of the old
   life; then `start` it, and let nobody speak to it before its first record is durable.

(The contract of etcd's Raft library is the same in other words: first save, then send, then apply.
There the records, frames and committed entries come as three lists; here they come as one, in order.)

A whole world without faults, in which a cluster elects a leader and chats:

    from collections import deque
    from random import Random

    from chatsys.actor.effects import Append, Deliver, Send
    from chatsys.actor.events import LinkUp, Say
    from chatsys.actor.logfile import batch, encode
    from chatsys.actor.outbox import Outbox
    from chatsys.config import ClusterConfig
    from chatsys.protocol.client import Client
    from chatsys.protocol.node import Node

    config = ClusterConfig.of(3)
    actors = {node: Node(node, config, Random(node)) for node in config.ids}
    actors["ann"] = Client("ann", config, Random(9), home=1)
    outboxes = {name: Outbox() for name in actors}
    disks = {name: b"" for name in actors}
    syncs = {name: 0 for name in actors}
    chats = {name: [] for name in actors}
    wire = deque()

    def turn(me, door, *facts, now=0.0):
        for effect in door(*facts, now) + actors[me].settle(now):
            match effect:
                case Append(records):                           # persist ...
                    syncs[me] += 1
                    disks[me] += batch(syncs[me], b"".join(map(encode, records)))
                    outboxes[me].wrote(len(records))
                case Send(to, message):                         # ... send ...
                    if outboxes[me].admit(to, message):
                        wire.append((me, to, message))
                case Deliver(messages):                         # ... deliver
                    chats[me] += [(one.msg_no, one.text) for one in messages]
        for to, message in outboxes[me].synced(outboxes[me].written):    # this disk is fast
            wire.append((me, to, message))
        while wire:
            sender, to, message = wire.popleft()
            turn(to, actors[to].on_message, sender, message)

    for node in config.ids:
        turn(node, actors[node].start)
    for node in config.ids:
        for peer in set(config.ids) - {node}:
            turn(node, actors[node].on_message, peer, LinkUp(1))
    turn("ann", actors["ann"].on_message, 1, LinkUp(1))
    turn("ann", actors["ann"].on_command, Say("hello"))
    assert chats[1] == chats[2] == chats[3] == [(1, "hello")]

Read also `chatsys.sim` and `chatsys.runtime`, the two worlds; `chatsys.check`, what must hold in them.
"""
