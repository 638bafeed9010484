"""The browser's half of the timeline in a real Chromium, for tests: its functions, called one by one.

with half(started) as js:              a blank page with all functions, in a browser that runs already
    js.take(packed)                    unpack a run there
    js.sentences(), js.moment(50)      what it says of each event; what it tells of each node
    js.show(widget), js.hear(...)      the door for a notebook, with a model that is made up
"""

import base64
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatsys.teach.widgets.timeline.moment import NodeMoment
from chatsys.teach.widgets.timeline.packing import Packed
from chatsys.teach.widgets.timeline.source import script, style

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SETUP = """() => {
  const ready = readyRun;
  window.readyRun = (about, columns) => (window.run = ready(about, window.known = columns));
  const table = Uint32Array.from({length: 256}, (_, one) => { for (let bit = 0; bit < 8; bit++) one = one & 1 ? 0xedb88320 ^ (one >>> 1) : one >>> 1; return one >>> 0; });
  window.crcOf = (bytes) => { let sum = ~0; for (const one of bytesOf(bytes)) sum = table[(sum ^ one) & 255] ^ (sum >>> 8); return ~sum >>> 0; };
  window.told = (event) => momentAt(run, event).map((state, lane) => ({...state, id: run.lanes[lane].id, kind: run.lanes[lane].kind,
    numbers: undefined, entries: Object.entries(state.entries).map(([place, at]) => [Number(place), at])}));
}"""
TAKE = """([about, columns]) => { readyRun(about, Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, fromBase64(text)]))); }"""
MODEL = """([about, columns, state]) => {
  const heard = {};
  window.sent = [];
  window.model = {
    state: {...state, about, columns: Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, new DataView(fromBase64(text).buffer)]))},
    get(name) { return this.state[name]; }, set(name, value) { this.state[name] = value; }, save_changes() {},
    on(what, does) { (heard[what] ||= []).push(does); }, off() {}, send(order) { window.sent.push(order); },
  };
  window.hear = (what, ...given) => heard[what].forEach((does) => does(...given));
  const door = widget();
  door.initialize({model});
  document.body.replaceChildren(make('div', {id: 'there'}));
  door.render({model, el: document.getElementById('there')});
}"""
HEAR = """async ([about, from, texts]) => {
  hear('msg:custom', {about, from}, texts.map((text) => new DataView(fromBase64(text).buffer)));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


@dataclass
class Half:
    """A page with all functions of the browser's half."""

    page: "Page"
    complaints: list[str]

    def take(self, packed: Packed) -> None:
        """Unpack a run."""
        self.page.evaluate(TAKE, [packed.about, encoded(packed.buffers())])

    def sentences(self) -> list[str]:
        """Return the sentence about each event."""
        found: list[str] = self.page.evaluate("() => Array.from({length: run.n}, (_, event) => sentenceOf(run, event))")
        return found

    def moments(self, events: Sequence[int]) -> list[dict[int, NodeMoment]]:
        """Return what is told of each node at some events, asked in this order."""
        found: list[list[dict[str, Any]]] = self.page.evaluate(
            "(events) => events.map((event) => JSON.parse(JSON.stringify(told(event))))", list(events)
        )
        return [{one["id"]: one for one in states if one["kind"] != "client"} for states in found]  # type: ignore[misc]

    def show(self, shown: Any) -> None:
        """Open a widget as a notebook does."""
        state = {"event": shown.event, "lit": shown.lit, "said": shown.said, "answers": shown.answers}
        self.page.evaluate(MODEL, [shown.about, encoded(shown.columns), state])

    def hear(self, content: dict[str, Any], buffers: Sequence[bytes]) -> None:
        """Take in what a widget sent, and wait until it is drawn."""
        texts = [base64.b64encode(data).decode() for data in buffers]
        self.page.evaluate(HEAR, [content["about"], content["from"], texts])

    def sums(self) -> dict[str, int]:
        """Return a sum over the bytes of each column that is known there."""
        found: dict[str, int] = self.page.evaluate(
            "() => Object.fromEntries(Object.entries(known).map(([name, data]) => [name, crcOf(data)]))"
        )
        return found


def encoded(columns: dict[str, bytes]) -> dict[str, str]:
    """Return columns as text, for the way to the browser."""
    return {name: base64.b64encode(data).decode() for name, data in columns.items()}


def sums(columns: dict[str, bytes]) -> dict[str, int]:
    """Return a sum over the bytes of each column."""
    return {name: zlib.crc32(data) for name, data in columns.items()}


def as_the_browser_tells(states: dict[int, NodeMoment]) -> dict[int, tuple[Any, ...]]:
    """Return moments of Python's half in a form that both halves have."""
    return {
        node: (
            state.role, state.term, state.alive, state.delivered, list(state.held), state.unknown,
            [(box.position, box.event, box.durable, box.committed) for box in state.log],
        )
        for node, state in states.items()
    }  # fmt: skip


def as_python_tells(states: dict[int, Any]) -> dict[int, tuple[Any, ...]]:
    """Return moments of the browser's half in a form that both halves have."""
    return {
        node: (
            one["role"], max(one["term"], 0), one["alive"], one["delivered"], one["held"], one["base"],
            [
                (place, at, place <= one["durable"], place <= one["commit"])
                for place, at in one["entries"]
                if at is not None
            ],
        )
        for node, one in states.items()
    }  # fmt: skip


@contextmanager
def half(started: "Browser") -> Iterator[Half]:
    """Open a blank page with all functions."""
    context = started.new_context(viewport={"width": 1200, "height": 1000}, offline=True)
    try:
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content("<!doctype html><title>half</title><body></body>")
        page.add_style_tag(content=style())
        page.add_script_tag(content=script())
        page.evaluate(SETUP)
        yield Half(page, complaints)
    finally:
        context.close()
