"""One moment and no chance: what an actor is given for time and randomness in an untimed search.

    NOW + 0.8            a Date: it may go into an alarm, and nowhere else
    random.uniform(..)   a Draw: it may pace an alarm, but no rule may compare it
    random.choice(..)    Undecidable: such a decision would have to be searched both ways

A date in a field, or a rule that depends on a draw, would make states look equal that are not, so
an actor that does such a thing is refused: nothing is claimed of it.

Promises  `Undecidable` where a search without time could miss something, never silence.
Read also `fingerprint` (who looks into the fields), `untimed`.
"""

from random import Random
from typing import Any, NoReturn

from chatsys.errors import ChatsysError


class Undecidable(ChatsysError):
    """This actor does something that an untimed search cannot judge; the sentence says what."""


class Date(float):
    """A number made from the time: it may go into an alarm and nowhere else."""

    def _dated(self, other: float) -> "Date":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _dated

    def __eq__(self, other: object) -> bool:
        """A date equals itself alone: a field that holds one never looks like a field that holds a number."""
        return self is other

    __hash__ = float.__hash__


class Now(Date):
    """The one moment of an untimed world: 0.0; what is added to it is later."""

    def __add__(self, wait: float) -> Date:
        return Date(float(wait))

    def __radd__(self, wait: float) -> Date:
        return Date(float(wait))

    def __sub__(self, date: float) -> Date:
        return Date(-float(date))


NOW = Now(0.0)


class Draw(Date):
    """A number drawn by chance: it may pace an alarm, but no rule may depend on it."""

    def _refuse(self, other: object) -> NoReturn:
        raise Undecidable("a rule compares a number drawn by chance; only waiting times may be drawn")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Chance(Random):
    """What an actor is given for `random`: names at birth, waiting times ever after."""

    newborn = True

    def uniform(self, a: float, b: float) -> float:
        """Return a marked number: any waiting time is as good as another."""
        return Draw((a + b) / 2)

    def random(self) -> float:
        """Return a marked number."""
        return Draw(0.5)

    def getrandbits(self, k: int) -> int:
        """Return bits for a name, before the life has started; afterwards refuse."""
        return super().getrandbits(k) if self.newborn else self._refuse()

    def choice(self, seq: Any) -> NoReturn:
        """Refuse: a choice would have to be searched both ways."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise Undecidable("a decision is drawn by chance; only waiting times may be drawn")
