"""What all tests share: the same random choices every time, and free ports."""

import socket

import pytest
from hypothesis import settings

settings.register_profile("same every time", derandomize=True, deadline=None)
settings.load_profile("same every time")


@pytest.fixture
def free_ports() -> list[int]:
    """Return ports of the loopback address that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
