"""Names: where a host is, asked anew before each dial, by a thread that nobody has to wait for.

    "10.0.0.3"                      --> itself, at once
    "chatsys-0.chatsys-members"     --> the system asks its name servers; where one is dead, for ten seconds and more

A member that starts again may have another address than before (a pod always has), so no answer is kept.

Why not asyncio's own way.  It asks in the pool of threads that everything else shares, the disk's errands and the status
file among them.  A dial that gives up leaves its thread behind, waiting for a name server.  With five members and a dead
server the pool is full in half a minute, the status file grows old, and whoever watches it kills a healthy node.  And a
dial that has 2 s never succeeds where the first of two servers is dead: the second is asked after 5 s.

Assumes   who asks again waits for the first answer: then there is one thread for each peer.
Promises  the loop goes on meanwhile; a process that ends does not wait for a name server; of several addresses of a
          name each has its turn, also if another one is silent.
Read also `peer` (which dials), `listener` (where a node listens).
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Place(NamedTuple):
    """One address of a host, as a socket takes it."""

    family: int
    address: tuple[Any, ...]


async def look_up(host: str, port: int) -> list[Place]:
    """Return all addresses of `host`, the system's first choice first.

    Raises `OSError` (or `UnicodeError`) if nobody knows it, `RuntimeError` if there is no thread to ask with.
    """
    with suppress(OSError):
        return _ask(host, port, socket.AI_NUMERICHOST)
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Place]] = loop.create_future()

    def tell(found: list[Place] | Exception) -> None:
        if answer.done():
            return
        if isinstance(found, Exception):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def ask() -> None:
        found: list[Place] | Exception
        try:
            found = _ask(host, port)
        except Exception as error:
            found = error
        with suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            loop.call_soon_threadsafe(tell, found)

    threading.Thread(target=ask, name=f"looks up {host}", daemon=True).start()
    return await answer


class Ways:
    """The way to one host, which may have several addresses: which of them is tried first."""

    def __init__(self) -> None:
        self._first = 0

    async def connect(self, places: list[Place], make: Callable[[], P]) -> P:
        """Return a connection to the first place that takes one; after a silent one the next attempt begins behind it.

        Raises `ConnectionRefusedError` if none took it and one refused, another `OSError` if no place can be reached.
        """
        said: list[OSError] = []
        begin = self._first % len(places)
        for place in places[begin:] + places[:begin]:
            self._first += 1
            try:
                made = await _connect(place, make)
            except OSError as error:
                said.append(error)
            else:
                self._first -= 1  # this one is good: the next attempt begins with it
                return made
        raise next((error for error in said if isinstance(error, ConnectionRefusedError)), said[0])


async def _connect(place: Place, make: Callable[[], P]) -> P:
    loop = asyncio.get_running_loop()
    made = socket.socket(place.family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        await loop.sock_connect(made, place.address)
        _, protocol = await loop.create_connection(make, sock=made)
    except BaseException:  # cancelled, too
        made.close()
        raise
    return protocol


def _ask(host: str, port: int, flags: int = 0) -> list[Place]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return list(dict.fromkeys(Place(family, address) for family, _, _, _, address in found))
