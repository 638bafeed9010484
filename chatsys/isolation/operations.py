"""Operations: what is asked of the objects in a confined process, as bytes.

    (7, "", (1,), {})                      make object 7: MyHoldBack(1)
    (7, "receive", (3, message), {})       call a method of it
    (7, None, (), {})                      forget it

Only these bytes are pickled, and only there they are opened: they come from the judge.

Promises  each call gets arguments of its own, as if it were the only one; a list that one call changes is no other
          call's list.
Read also `remote` (who asks), `answering` (who does it).
"""

import io
import pickle
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from chatsys.isolation.calls import CallScript

SCRIPT = 0
"""The number of the object that a script has; those of others follow."""

Operation = tuple[int, str | None, tuple[Any, ...], dict[str, Any]]
_PLAIN = (int, float, str, bool, bytes, type(None))


def operations_of(script: CallScript) -> Iterator[Operation]:
    """Yield what a script asks: make its object, then each call."""
    yield SCRIPT, "", script.arguments, {}
    for call in script.calls:
        yield SCRIPT, call.method, call.arguments, {}


def encode(request: tuple[int, bool, Sequence[Operation]], shared: Collection[type]) -> bytes:
    """Return (number, whether an error ends a script, operations) as bytes; nobody can change what is of type `shared`."""
    if len(request[2]) == 1:
        return pickle.dumps(request, 5)  # what one call is given twice is one thing to it, as at home
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 5)
    pickler.fast = not _can_be_shared(request[2], shared)  # then a thing is written as often as it is met
    pickler.dump(request)
    return file.getvalue()


def _can_be_shared(operations: Sequence[Operation], shared: Collection[type]) -> bool:
    for _number, _method, arguments, named in operations:
        for one in (*arguments, *named.values()) if named else arguments:
            if type(one) not in _PLAIN and type(one) not in shared:
                return False
    return True


def with_bases(given: Sequence[type]) -> tuple[type, ...]:
    """Return these Structs, and before each one those that it inherits from."""
    assert all(issubclass(kind, msgspec.Struct) for kind in given), "Only Structs can be given."
    found = dict.fromkeys(
        base
        for kind in given
        for base in reversed(kind.__mro__)
        if issubclass(base, msgspec.Struct) and base is not msgspec.Struct
    )
    return tuple(found)


def is_plain(kind: Any) -> bool:
    """Tell whether nothing of such a Struct can be changed, so that many calls may share one."""
    return bool(kind.__struct_config__.frozen) and all(field.type in _PLAIN for field in msgspec.structs.fields(kind))
