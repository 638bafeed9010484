"""Well-formed frames straight into nodes: every message, any values, in any state, from any member.

A small cluster runs in the simulator under faults.  Now and then a frame that nobody sent reaches
one of its nodes, with a term, a position or a sender that may be absurd; answers travel, nodes
crash and recover from the logs that such frames made them write.

What counts as a finding: a node that stops for anything but `BrokenInvariant`, an error that
leaves the world, events without end.  What a forged frame makes of the chat does not count: nodes
trust each other's words, only not their bytes.

Promises  the same seed feeds the same frames to the same states.
Read also `links` (bytes, in real time), `campaign.one_seed` (schedules within the fault model).
"""

import re
from random import Random

from chatsys.actor.trace_columns import columns
from chatsys.campaign.fuzz.made import Maker
from chatsys.campaign.fuzz.tally import Tally, watch_for_hangs
from chatsys.errors import UsageError
from chatsys.protocol.messages import NODE_MESSAGES
from chatsys.protocol.node import Node
from chatsys.sim.host import Host
from chatsys.sim.world import World
from chatsys.trace import Record

EPISODE = 250
"""So many frames in one world."""
RAISED = re.compile(r"\(\w+\.py, line \d+\)$")
"""How the sentence of a node ends that was stopped by anything but `BrokenInvariant`."""


def fuzz_nodes(frames: int, seed: int, tally: Tally) -> None:
    """Feed this many frames to nodes of simulated clusters."""
    end, episode = tally.frames + frames, 0
    while tally.frames < end:
        watch_for_hangs()
        episode += 1
        _Episode(f"{seed}/nodes/{episode}", tally).run(min(EPISODE, end - tally.frames))


class _Episode:
    def __init__(self, seed: str, tally: Tally) -> None:
        self.chance, self.tally = Random(seed), tally
        nodes = self.chance.choice((1, 3, 3, 3, 5))
        self.safe = self.chance.random() < 0.9
        self.world = World(self.chance.randrange(10**9), nodes, "majority" if self.safe else 1)
        self.told = 0

    def run(self, frames: int) -> None:
        """Let the cluster live, and feed it."""
        chance, world = self.chance, self.world
        self._pass(chance.uniform(0, 5))
        for author in ("ann", "bob"):
            world.say(f"I am {author}", author=author)
        self._pass(chance.uniform(0, 2))
        for _ in range(frames):
            self._forge(world.simulation.hosts[chance.choice(world.nodes)])
            self.tally.frames += 1
            if (lot := chance.random()) < 0.25:
                self._pass(chance.choice((0.001, 0.01, 0.05, 0.4)))
            elif lot < 0.27:
                self._disturb()
        self._look()

    def _forge(self, host: Host) -> None:
        """Hand a made-up frame to `host`, as the network does."""
        if not host.ready:
            return
        chance, hosts = self.chance, self.world.simulation.hosts
        sender = chance.choice([other for other in hosts if other != host.me] or ["ann"])
        assert isinstance(host.actor, Node), "episodes are of chat nodes"
        kinds = NODE_MESSAGES if isinstance(sender, int) else Node.from_clients
        message = Maker.against(chance, host.actor).anything(chance.choice(kinds))
        life = host.links.get(sender, hosts[sender].recorder.life)
        kind, term, seq = columns(message)
        sent = Record(
            0.0, "send", sender, life, term, "", 1, peer=host.me, message=kind, id=f"{sender}.{life}.0", seq=seq
        )
        with self.tally.step("an exception left the simulated world"):
            host.arrive(sender, (life, message, sent))

    def _pass(self, seconds: float) -> None:
        with self.tally.step("an exception left the simulated world"):
            self.world.run(seconds)

    def _disturb(self) -> None:
        """Crash, restart or cut off somebody; a crash that does not fit the moment is left out."""
        node = self.chance.choice(self.world.nodes)
        verb = self.chance.choice(("crash", "restart", "restart", "pause", "resume", "heal"))
        self._look()
        with self.tally.step("an exception left the simulated world"):
            try:
                getattr(self.world, verb)(*([] if verb == "heal" else [node]))
            except UsageError:
                pass

    def _look(self) -> None:
        """See which nodes stopped themselves since the last look, and why."""
        for _, sentence in self.world.failures[self.told :]:
            if RAISED.search(sentence) and "LogError: " not in sentence:
                self.tally.find(f"a node stopped: {sentence}")
            else:
                self.tally.stopped += 1
        self.told = len(self.world.failures)
