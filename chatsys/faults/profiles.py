"""Profiles: what goes together in one seed, so that it meets much of one thing and not a little of everything.

    seed --> one of PROFILES --> SeedSetting: some kinds of faults, at a pace, with small batches or few sessions, turns, ...

A seed in which votes come late and leaders go all the time, in elections that take a fifth of the time, sees more of them than
many seeds in which each leader lives for some seconds.  (Swarm testing: Groce and others 2012.)  Which profiles
there are, and how much each seed draws of them, was chosen by how many bugs they find: `tests/support/kill_rate.py`.

Promises  the same seed has the same setting; where kinds of faults are named, the seed is the schedule that it always was.
Read also `swarm` (who draws the script), `sequences`, `campaign.one_seed` (who plays it).
"""

from random import Random

import msgspec

from chatsys.config import Limits, Timing
from chatsys.faults.swarm import GAPS, KINDS

SMALL = Limits(batch_entries=2, window_entries=6, hold_back_entries=12)
"""Small batches and windows make gaps, probes and catch-ups common."""
SINGLE = Limits(batch_entries=1, window_entries=3, hold_back_entries=6)
FORGETFUL = Limits(batch_entries=3, window_entries=9, hold_back_entries=18, sessions=4)
"""So few sessions that they expire all the time, where clients wander."""
PACE = 5.0
"""So much faster are elections and faults in a fast seed."""
QUICK = Timing(**{name: value / PACE for name, value in msgspec.structs.asdict(Timing()).items()})
SHORTER = 0.75
"""A fast seed takes so much of the time that the plan gives, for faults and for the calm: it meets more in it all the same."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Some kinds of faults, and the clusters in which they tell most."""

    name: str
    kinds: tuple[str, ...]
    share: float = 0.6
    """How probable each of the kinds is in a seed."""
    fast: float = 0.0
    """How probable a fast seed is."""
    limits: tuple[Limits, ...] = (Limits(), SMALL)
    turns: tuple[float, ...] = (0.0, 0.0, 0.002, 0.01)
    """Seconds, of which a seed draws one; a fast seed takes less of it."""
    talk: float = 1.0
    loses_folder: bool = False
    """Whether a member's folder is emptied or swapped, and replaced."""
    gaps: tuple[float, ...] = GAPS
    """Seconds between two faults; a seed draws one mean."""
    wander: bool = False
    """Whether the clients go to another node with each message, as other clients."""


_OFTEN = (
    Profile(name="everything", kinds=KINDS, share=0.4),
    Profile(
        name="tails",
        kinds=("tail", "nap", "isolate", "power", "ambush", "slow-disk"),
        fast=0.7,
        limits=(SINGLE, SMALL),
        turns=(0.0, 0.002, 0.005),
    ),
    Profile(
        name="votes",
        kinds=("late-votes", "echo", "fresh-leader", "fresh-voter", "isolate", "pause", "clock"),
        share=0.75,
        fast=0.9,
        limits=(SMALL,),
        talk=0.5,
    ),
    Profile(
        name="relays",
        kinds=("hub", "behind", "star", "tail", "reorder", "ambush", "one-way"),
        fast=0.7,
        limits=(SINGLE, SMALL),
    ),
    Profile(
        name="sessions",
        kinds=("echo", "leader", "isolate", "crash", "pause", "loss", "shutdown"),
        fast=0.5,
        limits=(FORGETFUL,),
        wander=True,
    ),
    Profile(
        name="folders",
        kinds=("tail", "behind", "leader", "isolate", "partition", "ambush", "crash", "loss"),
        fast=1.0,
        limits=(SMALL,),
        loses_folder=True,
    ),
    Profile(
        name="learners", kinds=("learner", "tail", "hub", "crash", "isolate", "shutdown"), fast=0.5, limits=(SMALL,)
    ),
)
_COUPS = Profile(
    name="coups",
    kinds=("coup",),
    share=1.0,
    fast=1.0,
    limits=(SMALL, Limits()),
    turns=(0.0, 0.005, 0.01),
    talk=0.2,
    gaps=(2.0, 5.0),
)
_NEW = 0.25
"""In so many seeds coups come in the place of the profile that was drawn, so that all other seeds stay what they were."""

PROFILES = (*_OFTEN, _COUPS)
"""One of these is drawn by each seed whose plan names no kinds of faults."""


class SeedSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What one seed is played with."""

    kinds: tuple[str, ...]
    share: float = 0.4
    pace: float = 1.0
    length: float = 1.0
    """How much of the time that the plan gives it takes."""
    timing: Timing = Timing()
    limits: Limits = Limits()
    fast_suspect: bool = True
    take_back: bool = True
    in_order: bool = False
    turn: float = 0.0
    talk: float = 1.0
    loses_folder: bool = False
    gaps: tuple[float, ...] = GAPS
    wander: bool = False


def named_setting(seed: int, kinds: tuple[str, ...], limits: Limits | None) -> SeedSetting:
    """Return the setting of a seed with these kinds of faults; `limits`: those of the plan, None: the seed draws."""
    if limits is not None:
        return SeedSetting(kinds=kinds, limits=limits)
    chance = Random(f"{seed}/config")
    return SeedSetting(
        kinds=kinds,
        limits=chance.choice((Limits(), SMALL)),
        fast_suspect=chance.random() < 0.8,
        take_back=chance.random() < 0.8,
        in_order=chance.random() < 0.5,
    )


def drawn_setting(seed: int) -> SeedSetting:
    """Return the setting of a seed that draws its profile, too."""
    chance = Random(f"{seed}/profile")
    profile = chance.choice(_OFTEN)
    if Random(f"{seed}/again").random() < _NEW:
        profile = _COUPS
    fast = chance.random() < profile.fast
    pace = PACE if fast else 1.0
    return SeedSetting(
        kinds=profile.kinds,
        share=profile.share,
        pace=pace,
        length=SHORTER if fast else 1.0,
        timing=QUICK if fast else Timing(),
        limits=chance.choice(profile.limits),
        fast_suspect=chance.random() < 0.8,
        take_back=chance.random() < 0.8,
        in_order=chance.random() < 0.5,
        turn=chance.choice(profile.turns) / pace,
        talk=profile.talk,
        loses_folder=profile.loses_folder,
        gaps=profile.gaps,
        wander=profile.wander,
    )
