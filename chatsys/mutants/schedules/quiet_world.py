"""QuietWorld: a quiet world for one directed schedule; nothing happens by chance or by itself.

Every frame takes 2 ms and every sync 1 ms.  Nobody suspects anybody and nobody hands over, until
the script says `elect(2)`; frames wait at gates (`World.hold`) until it lets them go.

    stage.partition({3}, {1, 2}); stage.elect(2); stage.say("hello", node=2); stage.run(1)

With `lively=True` the nodes keep the course's timing and act for themselves: for schedules about
liveness, which then say `calm(1, 2)` when their faults are over and who must be served.

Read also `sim.hold`, `textbook`, `bugs`, `copies`, `terms`, `lively` (the schedules).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec.structs import replace

from chatsys.actor.events import RemoveLearner
from chatsys.config import ClusterConfig, Limits, Timing
from chatsys.errors import UsageError
from chatsys.mutants.bugs.mutant import Mutant
from chatsys.protocol.decisions import Stand, Suspect
from chatsys.protocol.node import Node
from chatsys.protocol.state import Role
from chatsys.protocol.storage import Promised, Stored
from chatsys.sim.disk import DiskModel
from chatsys.sim.host import Factory, Host
from chatsys.sim.network import Conditions
from chatsys.sim.world import World

NEVER = 100_000.0
PATIENT = Timing(
    heartbeat_timeout=NEVER,
    heartbeat_spread=0.0,
    rank_step=0.0,
    lease=NEVER,
    back_off_min=NEVER,
    back_off_max=NEVER,
)
"""Nobody suspects, nobody retires, and a failed attempt is not repeated."""

ONE_BY_ONE = Limits(batch_entries=1)
"""Every entry travels in a frame of its own."""


class QuietWorld(World):
    """A world in which the highest node leads term 1 and every log holds the same few entries."""

    def __init__(
        self,
        nodes: int = 3,
        quorum: int | str = "majority",
        flaw: Mutant | None = None,
        timing: Timing = PATIENT,
        limits: Limits = ONE_BY_ONE,
        *,
        turn: float = 0.0,
    ) -> None:
        """Begin with node `nodes` as the leader of term 1, and the first messages of ann and bob delivered."""
        config = ClusterConfig.of(nodes, quorum, timing=timing, limits=limits)  # type: ignore[arg-type]
        config = replace(config, fast_suspect=False, take_back=timing is not PATIENT)
        super().__init__(
            seed=1,
            nodes=config,
            parts=flaw.parts if flaw else None,
            actor=flaw.actor if flaw else None,
            network=Conditions(shortest=0.002, longest=0.002, tail=0.0),
            disk=DiskModel(shortest=0.001, longest=0.001),
            turn=turn,
        )
        self.talker = flaw.client if flaw else None
        self.faults_end: float | None = None
        self.served: tuple[int, ...] | None = ()
        self.until(lambda: self.leader is not None)
        self.say("ann is here", node=nodes)
        self.say("bob is here", node=nodes - 1, author="bob")
        self.run(1)

    def _client_host(self, name: str, factory: Factory | None, home: int | None) -> Host:
        """Let clients of the flaw's class speak, if it has one."""
        if self.talker is not None and factory is None:
            factory = partial(self.talker, home=home, sticky=home is not None)
        return super()._client_host(name, factory, home)

    def until(self, predicate: Callable[..., Any], limit: float = 60.0, quiet: bool = True) -> bool:
        """Run until it holds; a flaw may well prevent it, so nothing is said if it does not."""
        return super().until(predicate, limit, quiet)

    def node(self, number: int) -> Node:
        """Return the actor of a node, to look at."""
        actor = self._host(number).actor
        assert isinstance(actor, Node), "a stage has chat nodes"
        return actor

    def last(self, number: int) -> int:
        """Return the last position of a node's log."""
        return self.node(number).log.last_seq

    def nominate(self, number: int) -> None:
        """Let a node suspect its leader now, and ask the others whether it may try to lead."""
        self._decide(number, Suspect("the script says so"))

    def stand(self, number: int) -> None:
        """Let a node ask for promises now, as if the others had supported it."""
        note = self.node(number).state.become(Role.NOMINATING, "the script says so")
        self._decide(number, note, Stand())

    def _decide(self, number: int, *decisions: Any) -> None:
        actor = self.node(number)
        self._host(number)._turn(lambda now: actor._carry_out(list(decisions), now))

    def elect(self, number: int, tries: int = 3, until: str = "leader") -> bool:
        """Let trust run out, then let a node stand until it leads (or is `syncing`); tell whether it is.

        The first try may only teach it how far the others' terms have come.
        """
        self.run(2.1)
        host = self._host(number)
        for _ in range(tries):
            if not host.alive or host.role == until:
                break
            if host.role == "follower":
                self.stand(number)
            self.until(lambda: not host.alive or host.role in ("follower", "leader", until), 10)
            self.run(0.02 if until == "leader" else 0.0)
        return host.alive and host.role == until

    def let_go(self, learner: int) -> None:
        """Let people tell every member that the folder of a learner is lost, though the learner runs on another one."""
        for node in self.nodes:
            self._accept(node, RemoveLearner(learner))

    def split(self, *groups: set[int]) -> None:
        """Heal all cuts, then cut between these groups."""
        self.heal()
        self.partition(*groups)

    def isolate(self, *group: int) -> None:
        """Cut these nodes off from all others."""
        self.partition(set(group))

    def forget_unsynced(self, number: int) -> None:
        """Crash a node so that everything its disk did not hold yet is lost."""
        host = self._host(number)
        del host.disk.records[host.disk.durable :]
        self.crash(number)

    def silence(self, client: str) -> None:
        """Let a client go away for good, so that it repeats nothing."""
        self.simulation.hosts[client].end("crash")

    def stall(self, number: int) -> None:
        """Let a node's disk take so long that no sync ends in this schedule."""
        disk = self._host(number).disk
        disk.model = replace(disk.model, shortest=NEVER, longest=NEVER)

    def unstall(self, number: int) -> None:
        """Let a disk be quick again, in the node's next life."""
        disk = self._host(number).disk
        disk.model = DiskModel(shortest=0.001, longest=0.001)

    def rot(self, number: int, old: str, new: str) -> None:
        """Let a text in the log file of a node turn into another of the same length."""
        disk = self._host(number).disk
        for place, record in enumerate(disk.records, start=1):
            if isinstance(record, Stored) and record.entry.text == old:
                disk.rot(place, old.encode(), new.encode())
                return
        raise UsageError(f"Node {number} has no entry with the text {old!r}; there is nothing to rot.")

    def rot_promise(self, number: int) -> None:
        """Let the last promise in the log file of a node turn into one that nobody gave."""
        disk = self._host(number).disk
        place = max(place for place, record in enumerate(disk.records, start=1) if isinstance(record, Promised))
        disk.rot(place, b'"promise"', b'"premise"')

    def keep_marks(self, number: int) -> None:
        """Let a crash of this node take no page of what its disk wrote in idle moments."""
        disk = self._host(number).disk
        disk.model = replace(disk.model, torn=0.0)

    def calm(self, *served: int) -> None:
        """Say that the faults are over; from now on these nodes (all) and their clients must be served."""
        self.faults_end, self.served = self.now, served or self.nodes

    def calm_for_the_living(self) -> None:
        """Say that the faults are over, and that whoever runs in the end must have been served."""
        self.faults_end, self.served = self.now, None
