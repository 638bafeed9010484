"""A remote object: an object of somebody's own class in a confined process, called as if it were here.

    queue.receive(1, message)  -->  RemoteClass.call(queue, "receive", (1, message))  -->  the value, or `Raised`

Only the methods that were declared can be asked for.  The object at the other end is forgotten with this one.
Read also `remote`.
"""

from typing import Any

from chatsys.errors import ToldThere


class Raised(ToldThere):
    """What a method of somebody's own class raised, or returned of a wrong type, as one sentence."""

    def __init__(self, sentence: str, unfinished: bool = False) -> None:
        self.unfinished = unfinished
        super().__init__(sentence)


class RemoteObject:
    """An object of a remote class, which is called as if it were here."""

    def __init__(self, remote: Any, number: int, life: int) -> None:
        """`number` is what the process calls it, `life` which of the class's processes has it."""
        self._remote, self._number, self._life = remote, number, life

    def __getattr__(self, name: str) -> Any:
        if name not in self._remote.methods:
            raise AttributeError(f"{self._remote.name} is asked for its methods only; {name!r} is none of them")
        return _RemoteMethod(self, name)

    def __del__(self) -> None:
        remote = self._remote
        if self._life == remote._life:
            remote._dropped.append(self._number)


class _RemoteMethod:
    def __init__(self, thing: RemoteObject, name: str) -> None:
        self._thing, self._name = thing, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        thing, name = self._thing, self._name
        reply = thing._remote.call(thing, name, arguments, named)
        if reply.error is not None:
            raise Raised(reply.error, reply.unfinished)
        if reply.wrong is not None:
            raise Raised(f"{name} returned {reply.wrong}")
        return reply.value
