"""Wrong answers of lab 11: each is a misconception, with what it loses and the sentence that its writer reads; and the chats that 11.3 must find."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.mutants.bugs import MUTANTS
from chatsys.teach.grading.keys import Mistake

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

MyAttacks, MyInvariants = right.MyAttacks, right.MyInvariants

# --- 11.1 ----------------------------------------------------------------------------------------


class LooksAtTheEnd(MyInvariants):
    """Compares what the nodes show at the end of the run."""

    def agreement(self, trace):
        newest, last = {}, {}
        for one in trace.of("deliver"):
            newest[one.node] = max(newest.get(one.node, 0), one.incarnation)
        for one in trace.of("deliver"):
            if one.incarnation == newest[one.node]:
                last.setdefault(one.seq, set()).add((one.client, one.client_seq))
        return next((f"#{seq} differs" for seq, said in last.items() if len(said) > 1), None)


class ForgetsLivesInGap(MyInvariants):
    """A node that begins anew goes on where it was."""

    def gap(self, trace):
        shown = {}
        for one in trace.of("deliver"):
            if one.seq > shown.get(one.node, 0) + 1:
                return f"node {one.node} left something out before #{one.seq}"
            shown[one.node] = max(shown.get(one.node, 0), one.seq)
        return None


class ForgetsLivesInDuplicate(MyInvariants):
    """A node never shows a message twice, in no two lives."""

    def duplicate(self, trace):
        shown = set()
        for one in trace.of("deliver"):
            if (one.node, one.client, one.client_seq) in shown:
                return f"node {one.node} showed {one.text} again"
            shown.add((one.node, one.client, one.client_seq))
        return None


class ComparesTexts(MyInvariants):
    """A text that is shown twice is a message that is shown twice."""

    def duplicate(self, trace):
        shown = set()
        for one in trace.of("deliver"):
            if (one.node, one.incarnation, one.text) in shown:
                return f"node {one.node} showed {one.text} twice"
            shown.add((one.node, one.incarnation, one.text))
        return None


class NumbersTwice(MyInvariants):
    """A duplicate is one number shown twice."""

    def duplicate(self, trace):
        shown = set()
        for one in trace.of("deliver"):
            if (one.node, one.incarnation, one.seq) in shown:
                return f"node {one.node} showed #{one.seq} twice"
            shown.add((one.node, one.incarnation, one.seq))
        return None


class OnItsWayIsLost(MyInvariants):
    """Whatever was said must have been shown by the end."""

    def kept(self, trace):
        shown = {(one.client, one.client_seq) for one in trace.of("deliver")}
        for one in trace.of("submit"):
            if (one.client, one.client_seq) not in shown:
                return f"{one.text} of {one.author} is nowhere"
        return super().kept(trace)


class EverywhereAtOnce(MyInvariants):
    """What is answered must be shown by every node at the end."""

    def kept(self, trace):
        nodes = {one.node for one in trace.of("deliver")}
        shown = {(one.node, one.client, one.client_seq) for one in trace.of("deliver")}
        for one in trace.of("ack"):
            missing = [node for node in nodes if (node, one.client, one.client_seq) not in shown]
            if missing:
                return f"{one.text} was answered, and node {missing[0]} has it not"
        return super().kept(trace)


class WaitsFiveSeconds(MyInvariants):
    """What is answered must be shown by every node that is up within five seconds: that is “in the end”."""

    def kept(self, trace):
        shown = {}
        for one in trace.of("deliver"):
            shown.setdefault((one.node, one.client, one.client_seq), one.time)
        for one in trace.of("ack"):
            for node in (1, 2, 3):
                late = shown.get((node, one.client, one.client_seq), one.time) - one.time
                if late > 5:
                    return f"node {node} shows {one.text} {late:.1f} s after the answer"
        return super().kept(trace)


class SomewhereIsEnough(MyInvariants):
    """What was answered is kept if some node has ever shown it."""

    def kept(self, trace):
        shown = {(one.client, one.client_seq) for one in trace.of("deliver")}
        return next(
            (f"{one.text} is lost" for one in trace.of("ack") if (one.client, one.client_seq) not in shown), None
        )


class OneLeaderAtATime(MyInvariants):
    """There is one leader at a time."""

    def leaders(self, trace):
        leading = set()
        for one in trace:
            if one.kind == "crash":
                leading.discard(one.node)
            if one.kind == "lead":
                leading.add(one.node)
                if len(leading) > 1:
                    return f"nodes {sorted(leading)} lead at {one.time:.2f} s"
        return None


class OneNodeInATerm(MyInvariants):
    """The same node may lead a term again after a crash."""

    def leaders(self, trace):
        leader = {}
        for one in trace.of("lead"):
            if leader.setdefault(one.term, one.node) != one.node:
                return f"term {one.term} has two leaders"
        return None


class AlwaysSpeaks(MyInvariants):
    """Better once too often."""

    def agreement(self, trace):
        return super().agreement(trace) or "it looks suspicious"

    def leaders(self, trace):
        return super().leaders(trace) or "there may be two"


class SaysTrue(MyInvariants):
    """Returns whether all is well."""

    def gap(self, trace):
        return super().gap(trace) is None


class ComparesPositionsInOrder(MyInvariants):
    """Compares the n-th record of one node with the n-th of another."""

    def agreement(self, trace):
        shown = {}
        for one in trace.of("deliver"):
            shown.setdefault(one.node, []).append((one.client, one.client_seq))
        lists = list(shown.values())
        for mine in lists:
            for other in lists:
                if any(a != b for a, b in zip(mine, other, strict=False)):
                    return "two nodes show different messages"
        return None


# --- 11.2 ----------------------------------------------------------------------------------------


class NeverCutsAnything(MyAttacks):
    """Says much, and nothing goes wrong."""

    def duplicate(self, world):
        for node in (1, 2, 3):
            world.say("pay", node)
            world.say("pay", node)


class QuickDisks(MyAttacks):
    """The power fails, but the disks were quick."""

    def kept(self, world):
        world.say("a", 3)
        world.power_cut()
        world.say("b", 2)


class NeverCrashes(MyAttacks):
    """Only cuts."""

    def leaders(self, world):
        world.isolate(3)
        world.suspect(2)


class LongWay(MyAttacks):
    """Nothing was left out."""

    def duplicate(self, world):
        for node in (1, 2, 3, 1, 2, 3, 1):
            world.say("warm up", node)
        super().duplicate(world)


class OneTooMany(MyAttacks):
    """One move is not needed."""

    def kept(self, world):
        world.say("warm up", 1)
        super().kept(world)


class CrashesTwice(MyAttacks):
    """A node that is down cannot crash."""

    def leaders(self, world):
        world.crash(3)
        world.crash(3)


class AsksTheWorld(MyAttacks):
    """Looks before it leaps."""

    def duplicate(self, world):
        if world.leader == 3:
            super().duplicate(world)


def lost(*aspects, hidden=None):
    return {"public": aspects, "hidden": aspects if hidden is None else hidden}


REST = ("short", "par")

CHATS = (
    "term forgotten on restart",
    "quorum n//2",
    "no prev check",
    "conflicting tail kept",
    "second append path",
    "ok before commit",
    "retry answered ok early",
)
"""Bugs that the reference of 11.3 finds, beside the open ones."""

MISTAKES = {
    "11.1": {
        "looks at the end": Mistake(LooksAtTheEnd, lost("agreement"), r"Later the nodes agree again"),
        "a new life goes on (gap)": Mistake(ForgetsLivesInGap, lost("gap"), r"`gap` is silent"),
        "a new life goes on (duplicate)": Mistake(ForgetsLivesInDuplicate, lost("duplicate"), r"`duplicate` holds through all"),
        "compares texts": Mistake(ComparesTexts, lost("duplicate"), r"same text twice.*Equal texts"),
        "a number twice": Mistake(NumbersTwice, lost("duplicate"), r"`duplicate` is silent.*already at 2.03 s at number 4"),
        "on its way is lost": Mistake(OnItsWayIsLost, lost("kept"), r"on its way at the end.*may still come"),
        "everywhere at once": Mistake(EverywhereAtOnce, lost("kept"), r"only behind"),
        "five seconds are the end": Mistake(WaitsFiveSeconds, lost("kept"), r"late by six seconds.*no number of seconds"),
        "somewhere is enough": Mistake(SomewhereIsEnough, lost("kept"), r"`kept` is silent"),
        "one leader at a time": Mistake(OneLeaderAtATime, lost("leaders"), r"in different terms"),
        "one node in a term": Mistake(OneNodeInATerm, {"hidden": ("leaders",)}, r"`leaders` is silent"),
        "always speaks": Mistake(AlwaysSpeaks, lost("agreement", "leaders"), r"it looks suspicious"),
        "says true": Mistake(SaysTrue, lost("gap"), r"`gap` returned True"),
        "compares the n-th records": Mistake(ComparesPositionsInOrder, lost("agreement"), r"`agreement` holds through all"),
    },
    "11.2": {
        "never cuts anything": Mistake(NeverCutsAnything, {"public": ("duplicate", *REST)}, r"6 moves of `duplicate`.*no life shows a message twice"),
        "quick disks": Mistake(QuickDisks, {"public": ("kept", *REST)}, r"3 moves of `kept`.*nothing that was answered is lost"),
        "never crashes": Mistake(NeverCrashes, {"public": ("leaders", *REST)}, r"never crashes anybody"),
        "long way": Mistake(LongWay, {"public": REST}, r"has 9 moves; shrink it to at most 8"),
        "one too many": Mistake(OneTooMany, {"public": ("par",)}, r"has 5 moves; one of 4 is known"),
        "crashes twice": Mistake(CrashesTwice, {"public": ("leaders", *REST)}, r"`leaders` cannot be played: move 2 is crash\(3\): node 3 is down"),
        "asks the world": Mistake(AsksTheWorld, {"public": ("duplicate", *REST)}, r"`duplicate` raised.*cannot ask for world.leader"),
    },
    "the chat": {name: Mistake(MUTANTS[name], {}, "") for name in CHATS},
}  # fmt: skip
