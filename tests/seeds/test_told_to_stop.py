"""A leader is told to stop at any moment, in every order of events, within small bounds."""

import pytest

from chatsys.actor.effects import Send
from chatsys.actor.events import StandDown
from chatsys.explore.explorer import Budget, Explorer
from chatsys.explore.happenings import Give
from chatsys.explore.models import ElectionModel
from chatsys.explore.untimed import Turn
from chatsys.protocol.messages import TransferLead

pytestmark = pytest.mark.slow


class ToldToStop(ElectionModel):
    """Two nodes that elect, and whoever leads may be told to stop, at any moment."""

    inputs = (Give(None, StandDown()),)

    def marks(self, turn: Turn) -> tuple[str, ...]:
        """Tell whether somebody was asked to take over."""
        asked = any(isinstance(effect, Send) and isinstance(effect.message, TransferLead) for effect in turn.effects)
        return (*super().marks(turn), *(("asked to take over",) if asked else ()))


def test_whenever_a_leader_is_told_to_stop_no_order_of_events_breaks_safety() -> None:
    model = ToldToStop(terms=2, addresses=(2, 3), beats=1)
    result = Explorer(model).search(Budget(seconds=600, states=20_000))
    assert result.verdict == "exhausted, ok"
    assert {"asked to take over", "elected again"} <= set(result.reached)
