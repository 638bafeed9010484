"""Lab 03, total order: one sequencer gives every message its number, the student's queue decides what is delivered.

    stage     the small actor around the queue
    checks    the questions 3.1 and 3.2, and the story of the run in which the queue failed

What the notebook takes from here:  `from chatsys.teach.labs.lab03 import Conditions, Message, stopped, total_order`.

Read first `stage`; `protocol.holdback` is the queue of the real chat.
"""

from chatsys.sim.network import Conditions
from chatsys.teach.labs.lab03.stage import Message, stopped, total_order

__all__ = ["Conditions", "Message", "stopped", "total_order"]
