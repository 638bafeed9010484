"""Overdue: what should have happened since everything was mended, and has not.

    faults --mend--> calm for half a minute --> ready leader? all delivered? all answered? queues empty?

A verdict of liveness needs a run that is left alone long enough; the moment of the mend is read
from what was done to the world.

Read also `check.liveness` (the laws, read from a trace), `check.quiescence` (queues), `sweep` and `case` (who ask).
"""

from collections.abc import Iterator
from typing import Any

from chatsys.check import Violation
from chatsys.check.liveness import Verdict, check_live
from chatsys.check.quiescence import check_rest
from chatsys.check.violation import quote
from chatsys.sim.world import World


def overdue(world: World) -> list[Violation]:
    """Return which of L1-L4, L6 and L7 are broken now; [] if faults came after the last `mend`, or there was none."""
    faults = [fault for fault in world.done if fault.verb != "say"]
    if not faults or faults[-1].verb != "mend":
        return []
    return list(judge_live(world, faults[-1].time).violations)


def stopped(world: World) -> list[Violation]:
    """Return a violation for each time that a node stopped itself, or did not start on a log that is damaged.

    One that the rules of identity stop breaks nothing.  No verb of a script lets a log rot: a damaged one is a bug.
    """
    return [
        Violation(
            invariant="broken", sentence=f"Node {one.node} stopped itself: {one.reason}", time=world.now, node=one.node
        )
        for one in world.trace.of("broken")
    ]


def judge_live(world: World, mended: float) -> Verdict:
    """Judge L1-L4, L6 and L7 of a world in which everything was mended at time `mended`; what it is too early for is open."""
    timing = world.config.timing
    calm = 4 * (timing.heartbeat_timeout + timing.heartbeat_spread) + 2 * timing.client_retry_max
    served = (*world.nodes, *(node for node in world.learners if world.status()[node].get("ready")))
    verdicts = [check_live(world.trace, mended, served, end=world.now), check_rest(world)]
    broken = [found for verdict in verdicts for found in verdict.violations]
    early = [told for verdict in verdicts for told in verdict.open]
    if world.now - mended > calm:
        broken += [Violation(invariant=name, sentence=told, time=world.now) for name, told in unwell(world)]
    else:
        early += [f"{law}: {calm:.1f} s of calm would be needed to ask the nodes." for law in ("L1", "L2", "L3")]
    verdict: Any = "fail" if broken else "inconclusive" if early else "pass"
    return Verdict(verdict=verdict, violations=tuple(broken), open=tuple(early))


def unwell(world: World) -> Iterator[tuple[str, str]]:
    """Tell what the nodes themselves say after the calm, which the trace alone does not show."""
    state = world.status()
    if world.leader is None:
        yield "L1", f"L1: long after all faults ended there is no leader that is ready ({_roles(state)})."
    counts = {node: one["delivered"] for node, one in state.items() if node in world.nodes or one.get("ready")}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"node {node} {count}" for node, count in counts.items())
        yield "L2", f"L2: long after all faults ended the nodes have delivered different numbers of messages ({told})."
    for host in world.simulation.hosts.values():
        if isinstance(host.me, str) and not getattr(host.actor, "idle", True):
            yield "L3", f"L3: long after all faults ended {_waiting(host.me, host.actor)} ({_roles(state)})."


def _roles(state: dict[int, dict[str, Any]]) -> str:
    """Say of each node what it is, such as "node 3 leader of term 1, not ready"."""
    told = []
    for node, one in state.items():
        ready = "" if one["role"] != "leader" or one.get("ready", True) else ", not ready"
        told.append(
            f"node {node} {one['role'] or 'no role'} {'of' if one['role'] == 'leader' else 'in'} term {one['term']}{ready}"
        )
    return "; ".join(told)


def _waiting(name: str, client: Any) -> str:
    """Say what a client still waits for."""
    author, _, home = name.partition("@")
    who = f"{author}, who speaks to node {home}," if home else author
    open_ones = [*getattr(client, "under_way", {}).values(), *getattr(client, "queue", ())]
    text = next((said.text for said in open_ones), None)
    return f"{who} still waits for the answer to {quote(text)}"
