"""Wrong answers of lab 00: what each of them believes, and what it is told."""

from typing import Any

from chatsys.teach.grading.keys import Mistake


def follower_crashes(world: Any) -> None:
    """Believes that any crash stops the chat."""
    world.run(3)
    world.crash(1)
    world.say("are you all asleep?")
    world.run(6)
    world.restart(1)
    world.run(3)


def pauses(world: Any) -> None:
    """Takes a pause for a crash."""
    world.run(3)
    world.pause(world.leader)
    world.say("are you all asleep?")
    world.run(6)
    world.resume(3)
    world.run(3)


def cuts_off(world: Any) -> None:
    """Takes a cable that is pulled for a crash."""
    world.run(3)
    world.partition({3}, {1, 2})
    world.say("are you all asleep?")
    world.run(6)
    world.heal()
    world.run(3)


def too_early(world: Any) -> None:
    """Believes that a cluster has a leader from the first moment on."""
    world.crash(world.leader)
    world.say("are you all asleep?")
    world.run(9)


def waits_first(world: Any) -> None:
    """Believes that one can only speak when somebody leads."""
    world.run(3)
    gone = world.leader
    world.crash(gone)
    world.run(6)
    world.say("are you all asleep?")
    world.restart(gone)
    world.run(4)


def speaks_before(world: Any) -> None:
    """Speaks before the crash, and never after it."""
    world.run(3)
    world.say("are you all asleep?")
    world.run(1)
    gone = world.leader
    world.crash(gone)
    world.run(6)
    world.restart(gone)
    world.run(4)


def says_nothing(world: Any) -> None:
    """Watches, and says nothing."""
    world.run(3)
    gone = world.leader
    world.crash(gone)
    world.run(6)
    world.restart(gone)
    world.run(4)


def never_restarts(world: Any) -> None:
    """Believes that a crashed node comes back by itself."""
    world.run(3)
    world.crash(world.leader)
    world.say("are you all asleep?")
    world.run(9)


def ends_at_once(world: Any) -> None:
    """Believes that a node that is back has what it missed."""
    world.run(3)
    world.say("good morning")
    world.run(1)
    gone = world.leader
    world.crash(gone)
    world.say("are you all asleep?")
    world.run(6)
    world.restart(gone)


def nobody_waits(world: Any) -> None:
    """Believes that what is said is shown in the same moment."""
    world.run(3)
    gone = world.leader
    world.crash(gone)
    world.say("are you all asleep?")
    world.restart(gone)
    world.run(0.3)


def no_time(world: Any) -> None:
    """Lets no time go by."""
    world.say("are you all asleep?")


ALL = ("crash", "outage", "same")

MISTAKES = {
    "0.1": {
        "a follower crashes": Mistake(
            follower_crashes, {"public": ALL}, r"node 1 crashed at 3.00 s, and it did not lead"
        ),
        "a pause for a crash": Mistake(pauses, {"public": ALL}, r"node 3 was paused at 3.00 s, and nobody crashed"),
        "a cut for a crash": Mistake(cuts_off, {"public": ALL}, r"links were cut at 3.00 s, and nobody crashed"),
        "crashes nobody": Mistake(too_early, {"public": ALL}, r"At 0.00 s .* step 2, world.crash\(None\): nobody led"),
        "waits for a leader": Mistake(waits_first, {"public": ALL[1:]}, r"was said at 9.00 s, when somebody led again"),
        "speaks before it": Mistake(speaks_before, {"public": ALL[1:]}, r"was said at 3.00 s, before that"),
        "says nothing": Mistake(says_nothing, {"public": ALL[1:]}, r"nothing was said in the whole story"),
        "never restarts": Mistake(never_restarts, {"public": ("same",)}, r"node 3 is down since 3.00 s"),
        "ends at once": Mistake(
            ends_at_once, {"public": ("same",)}, r"node 3 shows no messages, but node [12] shows 2"
        ),
        "waits for nothing": Mistake(
            nobody_waits, {"public": ("same",)}, r"no node shows “are you all asleep\?”, said at 3.00"
        ),
        "lets no time go by": Mistake(no_time, {"public": ALL}, r"over at 0.00 s, and no node led up to then"),
    }
}
