"""Public: what strangers may see of a session: a short hash of its client_id, and never the client_id.

Whoever knows the client_id of a session can speak in it: the next number of that session, said by anybody, is
the session's next message, and its owner's message with that number then meets a `conflict`.  So the id, 128
random bits that the client drew, is a secret between the client and the members, which need it in their logs.
Listeners, traces, reports and pictures are about *which* messages belong together, and for that a hash is
enough: it is equal where the ids are equal, and nobody finds the id behind it.

    client --SUBMIT(client_id)--> members, their logs        the secret
    members --DELIVERED(client)--> everybody                 public(client_id)
    everything --records--> trace, verify, panel             public(client_id)

Assumes   the client drew its id from a source that nobody can guess: a hash hides no id that was chosen.
Promises  one id has one public form, in every world and for ever: a client knows its own lines by it.
Read also `messages` (Delivered), `sessions` (who is believed, and why), `actor.effects` (the column `client`).
"""

import hashlib
from functools import lru_cache

import msgspec

from chatsys.actor.actor import Number

DIGITS = 16
"""64 bits: two of a million sessions share a public form with a chance of one in thirty million."""


@lru_cache(maxsize=1 << 14)  # asked for every message, and sessions speak more than once
def public(client_id: str) -> str:
    """Return the public form of a client_id: the first digits of its SHA-256; nothing for nobody.  SPECIFICATION R10.14."""
    return hashlib.sha256(client_id.encode()).hexdigest()[:DIGITS] if client_id else ""


class Heard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A chat entry as it is shown to everybody: all of it but what lets one speak in its session."""

    seq: Number
    room: str = ""
    author: str = ""
    text: str = ""
    time: float = 0.0
    client: str = ""
    """The public form of the client_id."""
    client_seq: Number = 0
