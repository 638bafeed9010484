"""A simulated world in which node 3 leads, and its panel, for tests: `world, shown = panels.world, panels.shown`."""

from collections.abc import Iterator

import pytest

from chatsys.sim.world import World
from chatsys.teach.widgets.panel.panel import Panel, panel


@pytest.fixture
def world() -> Iterator[World]:
    """Return a world that has a leader."""
    world = World(seed=3)
    assert world.until(lambda: world.leader is not None, limit=10)
    yield world
    world.stop()


@pytest.fixture
def shown(world: World) -> Iterator[Panel]:
    """Return the panel of that world."""
    shown = panel(world)
    yield shown
    shown.close()
