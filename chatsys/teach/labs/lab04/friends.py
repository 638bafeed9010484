"""Friends' detectors: wrong answers to 4.1 that a written test (4.3) has to find, and a right one that it must not accuse.

Each looks right for a while.  Read them: what must happen, so that it shows?

Read also `play.play_scenario` (how a test is played), `checks` (what is asked of your own detector).
"""

from typing import Any


class OneClock:
    """Looks at one clock for all of them."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.peers, self.timeout, self.heard = set(peers), timeout, now

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note that there was a sign of life."""
        self.heard = now

    def suspects(self, now: float) -> set[int]:
        """Suspect everybody after a long silence."""
        return set(self.peers) if now - self.heard > self.timeout else set()


class AnySignOfLife:
    """Takes whatever arrives for a sign of life."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.timeout, self.heard = timeout, dict.fromkeys(peers, now)

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note when it came."""
        self.heard[peer] = now

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was silent for too long."""
        return {peer for peer, heard in self.heard.items() if now - heard > self.timeout}


class BearsAGrudge:
    """Never forgives a silence."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.timeout, self.last = timeout, dict.fromkeys(peers, (0, now))
        self.gone: set[int] = set()

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note when a new beat came."""
        if number > self.last[peer][0]:
            self.last[peer] = (number, now)

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was ever silent for too long."""
        self.gone |= {peer for peer, (_, heard) in self.last.items() if now - heard > self.timeout}
        return self.gone


class KnowsWhomItMet:
    """Keeps an eye on everybody it has heard."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.timeout = timeout
        self.last: dict[int, tuple[int, float]] = {}

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note when a new beat came."""
        if number > self.last.get(peer, (0, 0.0))[0]:
            self.last[peer] = (number, now)

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was silent for too long."""
        return {peer for peer, (_, heard) in self.last.items() if now - heard > self.timeout}


class OneBeat:
    """Cannot wait: a beat is due once in an interval."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.wait, self.last = interval, dict.fromkeys(peers, (0, now + timeout))

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note when a new beat came."""
        if number > self.last[peer][0]:
            self.last[peer] = (number, now)

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was silent for longer than a beat takes."""
        return {peer for peer, (_, heard) in self.last.items() if now - heard > self.wait}


class CountsBeats:
    """Counts in beats how long it has been silent: right, and up to half a beat slower than it must be."""

    def __init__(self, peers: list[int], now: float, interval: float, timeout: float) -> None:
        self.begun, self.beat_length, self.patience = now, interval / 2, timeout / (interval / 2)
        self.last = dict.fromkeys(peers, (0, 0.0))

    def beat(self, peer: int, number: int, sent_at: float, now: float) -> None:
        """Note in which half beat a new beat came."""
        if number > self.last[peer][0]:
            self.last[peer] = (number, (now - self.begun) / self.beat_length)

    def suspects(self, now: float) -> set[int]:
        """Suspect whoever was silent for so many half beats."""
        at = int((now - self.begun) / self.beat_length)
        return {peer for peer, (_, heard) in self.last.items() if at - heard > self.patience}


WRONG: dict[str, Any] = {
    "one clock": OneClock,
    "any sign of life": AnySignOfLife,
    "bears a grudge": BearsAGrudge,
    "knows whom it met": KnowsWhomItMet,
    "one beat": OneBeat,
}
