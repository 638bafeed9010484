"""The panel: a running cluster with buttons.  Everything it does is a verb you can also type.

    browser  --{"do": "crash", "node": 3}-->  Panel.press  --> queue --> its own thread --> cluster.crash(3)
    browser  <-- state, chat, said, line ---  a few times a second, read from the trace
             <------- lamp -----------------  do the rules hold? judged a little at each look, after everything else

The panel keeps no state of the protocol: it reads the trace and `status()`.  A callback only puts
an order into a queue, so a button can neither block the notebook nor fail in it; when a verb says
no, its sentence stands in the panel.

    panel(cluster)          show it; `panel(world)` adds Play, Step and speed
    panel(cluster).press("crash", node=3)         what the button does

Assumes   a real cluster may be called from any thread; a simulated world may not, so while a cell
          runs the panel waits, and the other way round.
Promises  without a front end it is a silent value; its thread ends with the cluster or the panel;
          a cell that runs again closes the panels that it made before, and their clusters end.
          Where there are no threads, as in a browser, it is a task on the notebook's own loop.
Read also `orders` (what each button stands for), `hold` (who keeps the cluster), `view` and `chats` (what is shown),
          `live_region` (what is said), `lamp` (the rules), `inside` (the timeline), `anew` (another quorum),
          `js/panel.js` (how it is drawn).
"""

import asyncio
import itertools
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from chatsys.capabilities import THREADS, has
from chatsys.config import overlap
from chatsys.errors import ChatsysError, UsageError
from chatsys.faults import Testbed
from chatsys.teach.figures.role_spans import DOWN
from chatsys.teach.widgets.bundle import joined
from chatsys.teach.widgets.notebook import WorldLock, cell, shell
from chatsys.teach.widgets.panel.anew import anew, line_of, names_of, rename, sentence_of
from chatsys.teach.widgets.panel.dock import Dock, can_dock
from chatsys.teach.widgets.panel.hold import Hold
from chatsys.teach.widgets.panel.inside import Inside
from chatsys.teach.widgets.panel.lamp import Lamp
from chatsys.teach.widgets.panel.live_region import LiveRegion
from chatsys.teach.widgets.panel.orders import LOOKING, ORDERS, Call, written
from chatsys.teach.widgets.panel.view import View

PACE = 0.15
"""Seconds between two looks at the cluster."""
HERE = Path(__file__).parent
PARTS = ("buttons", "nodes", "chat", "network", "bands", "legend", "place", "panel")
"""The files of `js`, what is used before what uses it."""

_number = itertools.count(1)
"""Each panel of a notebook has a number, so that two of them can be told apart."""

STOPPED = "All nodes are stopped; make a new cluster to go on."
GONE = "This cluster is gone: only this panel knew it. Run the cell that makes it again."

_open: "weakref.WeakSet[Panel]" = weakref.WeakSet()
"""The panels that are not closed."""


def panel(cluster: Testbed, name: str = "") -> "Panel":
    """Return the panel of a cluster or of a simulated world, ready to be the last line of a cell.

    `name` is what the cluster is called in the lines of code that the panel shows.
    """
    if not isinstance(cluster, Testbed):
        raise UsageError(f"{cluster!r:.80} is no cluster; make one first: panel(Cluster()) or panel(World()).")
    now = cell()
    for other in list(_open):
        # a second panel takes over from the first, and the output of a cell's earlier run is off the page
        if other.cluster is cluster or (now is not None and now.is_again(other.cell)):
            other.close()
    return Panel(cluster, name or ("world" if cluster.where == "sim" else "cluster"))


class Panel(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The widget and its thread; make one with `panel(cluster)`."""

    _esm = joined(HERE / "js", PARTS)
    _css = (HERE / "panel.css").read_text("utf-8")

    about = traitlets.Dict().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    chat = traitlets.Dict().tag(sync=True)
    """What each user sees, and what is on its way."""
    lamp = traitlets.Dict().tag(sync=True)
    """Whether the rules hold."""
    timeline = traitlets.Any(None, allow_none=True).tag(sync=True, **widget_serialization)
    """The timeline of a simulated world, when it is open."""
    docked = traitlets.Bool(False).tag(sync=True)
    """Whether the panel stands beside the page."""
    said = traitlets.Unicode("").tag(sync=True)
    """The latest sentence, for eyes and for screen readers."""
    line = traitlets.Unicode("").tag(sync=True)
    """The line of code that does what was pressed last."""

    def __init__(self, cluster: Testbed, name: str) -> None:
        self.name, self.cell = name, cell()
        self.number = next(_number)
        self.loss = self.delay = 0.0
        self.speed, self.playing, self.ended = 1.0, False, False
        self._region = LiveRegion()
        self._orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None
        self._turns = WorldLock()
        self._turn = self._turns.lock
        self._inside, self._dock = Inside(), Dock()
        if cluster.where == "sim":
            self._turns.tie()
        self._show(cluster)
        super().__init__(about=self._facts(cluster))
        self.on_msg(self._receive)
        self.refresh()
        _open.add(self)

    def _show(self, cluster: Testbed) -> None:
        """Be the panel of this cluster from now on."""
        self._hold = Hold(cluster, self._turn)
        self.view = View(tuple(cluster.nodes), cluster._has_clients)
        self._lamp = Lamp(cluster.trace)

    def _facts(self, cluster: Testbed) -> dict[str, Any]:
        """Return what does not change while a cluster lives."""
        quorum, members = cluster.config.quorum, len(cluster.config.ids)
        facts = {"nodes": list(cluster.nodes), "where": cluster.where, "number": self.number, "dock": can_dock()}
        return facts | {"quorum": quorum, "safe": [overlap(some, members) for some in range(1, members + 1)]}

    @property
    def cluster(self) -> Testbed | None:
        """The cluster or the world that is shown; None when it is gone."""
        return self._hold.cluster

    def open(self) -> None:
        """Open the channel to the browser; where there is no notebook, nobody would listen."""
        if shell() is not None:
            super().open()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Come alive when shown, but not while a notebook is graded."""
        if self.comm is None:
            return {"text/plain": repr(self)}
        if not os.environ.get("NBGRADER_EXECUTION"):
            self.start()
        return super()._repr_mimebundle_(**options)

    def press(self, do: str, **values: Any) -> None:
        """Do what the button `do` does, and wait until it is done: `press("crash", node=3)`."""
        with self._turn:
            self._obey({"do": do, **values})
        self.refresh()

    def _receive(self, _widget: Any, order: dict[str, Any], _buffers: Any) -> None:
        if self.ended and order.get("do") in LOOKING:
            self._obey(order)  # its thread has ended, and nothing else can change the run
            return
        self._orders.put(order)
        self.start()

    def __repr__(self) -> str:
        return f"<Panel of {len(self.view.nodes)} nodes ({self.about['where']}); it needs a notebook to be seen>"

    # --- its thread -----------------------------------------------------------------------

    def start(self) -> None:
        """Follow the cluster from now on, on a thread of its own or as a task; once is enough."""
        if self.ended:
            self.said = GONE if self.cluster is None else STOPPED
        elif self._over.is_set():
            return
        elif not has(THREADS):
            self._start_here()
        elif self._thread is None or not self._thread.is_alive():
            seen = weakref.ref(self)
            self._thread = threading.Thread(
                target=_follow, args=(seen, self._orders), name="chatsys panel", daemon=True
            )
            self._thread.start()

    def _start_here(self) -> None:
        try:
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._follow_here())
        except RuntimeError:
            self.said = "There are no threads here, and no loop runs: the buttons wait; type the verbs instead."

    def close(self) -> None:
        """Stop following; a cluster that nobody else knows is stopped, any other goes on."""
        self._over.set()
        _open.discard(self)
        if self._task is not None:
            self._task.cancel()
        self._turns.untie()
        self._dock.close()
        self._inside.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2 * PACE)
        super().close()
        self._hold.drop()

    async def _follow_here(self) -> None:
        """Do what the thread does, between the cells, which run on this same loop."""
        last, going_on = time.monotonic(), True
        while going_on:
            await asyncio.sleep(PACE)
            now = time.monotonic()
            if not self._turns.held:  # else a cell runs, and awaits something
                going_on = self._look(None if self._orders.empty() else self._orders.get(), now - last)
            last = now

    def _look(self, order: dict[str, Any] | None, passed: float) -> bool:
        """Carry out an order, play on for `passed` seconds, look at the cluster; return whether to go on."""
        with self._turn:
            if order is not None:
                self._obey(order)
            cluster = self.cluster
            if cluster is not None and self.playing and not self._over.is_set():
                self._attempt(partial(cluster.run, min(passed, 0.5) * self.speed))
            del cluster
        self.refresh()
        return not (self._over.is_set() or self.ended)

    def refresh(self) -> None:
        """Look at the cluster once and send what changed to the browser."""
        with self._turn:
            heard, state = self._seen()
        state |= {"loss": self.loss, "delay": self.delay, "playing": self.playing, "ended": self.ended}
        if self._over.is_set():
            return
        self.state = state
        self.chat = self.view.chats.columns(self.view.nodes) | {"waiting": self.view.chats.waiting()}
        if (told := self._region.tell(heard)) is not None:
            self.said = told
        with self._turn:
            self._judge()

    def _judge(self) -> None:
        """Look at the rules, and at the timeline: what may be a moment late comes last."""
        cluster = self.cluster
        if cluster is not None:
            self._lamp.look(cluster.trace, cluster.now)
            self.lamp = self._lamp.state()
            self._inside.look()

    def _seen(self) -> tuple[list[str], dict[str, Any]]:
        """Return the news as sentences, and all that is drawn."""
        cluster = self.cluster
        if cluster is None:
            news = [] if self.ended else [GONE]
            self.ended, self.playing = True, False
            return news, self.state | {
                "nodes": [card | {"alive": False, "health": DOWN} for card in self.state["nodes"]]
            }
        heard = self.view.take(cluster.trace, cluster.done)
        state = self.view.state(cluster.status(), cluster.now)
        self.ended = self.ended or self.view.ended
        return heard, state

    # --- what buttons do --------------------------------------------------------------------

    def _obey(self, order: dict[str, Any]) -> None:
        """Carry out one order of the browser; whatever is wrong with it becomes a sentence."""
        self._region.begin()
        do = order.get("do")
        verb = ORDERS.get(do) if isinstance(do, str) else None
        if verb is None:
            self.said = self._region.answer(f"The panel has no button {do!r}.")
            return
        if self.cluster is None:
            self.said = GONE
            return
        went_well = self._attempt(lambda: self._do(verb(self, order)))
        if "id" in order:  # whoever typed it waits, to keep what was refused
            self.send({"answers": order["id"], "well": went_well})

    def _do(self, calls: list[Call]) -> None:
        cluster = self.cluster
        for verb, (given, named) in calls:
            result = getattr(cluster, verb)(*given, **named)
            if verb == "step" and cluster is not None:
                self.view.take(cluster.trace, cluster.done)  # the step's own sentences say it all
                self.said = self._region.answer(self._inside.step_to(cluster, result))
                self.timeline = self._inside.widget
        self.line = "; ".join(f"{self.name}.{written(verb, *args)}" for verb, args in calls) or self.line

    def _attempt(self, act: Callable[[], Any]) -> bool:
        """Do it, and return whether it went well; else the reason is said."""
        try:
            act()
        except ChatsysError as error:
            self.said = self._region.answer(str(error))
        except Exception as error:  # a student's own class may raise anything, and a panel must not
            self.said = self._region.answer(f"{type(error).__name__}: {error}")
        else:
            return True
        self.playing = False
        return False

    def renew(self, quorum: int) -> None:
        """Go on with another cluster of the same kind, which has this quorum."""
        old = self.cluster
        if old is None or quorum == old.config.quorum:
            return
        names = names_of(old) or [self.name]
        line = line_of(old, quorum, names[0])
        simulated = old.where == "sim"
        self.said = f"With quorum {quorum}: " + (
            "the same is played again …" if simulated else "a new cluster begins …"
        )
        new = anew(old, quorum)
        rename(names, new)
        reopen = self._inside.widget is not None
        self._inside.close()
        self._hold.drop()
        self._show(new)
        if not simulated:
            self.loss = self.delay = 0.0
        self.name, self.line, self.about = names[0], line, self._facts(new)
        self.timeline = self._inside.open(new) if reopen else None
        self.view.take(new.trace, new.done)  # its past is no news
        self.said = self._region.answer(sentence_of(new))

    def toggle_timeline(self) -> None:
        """Show the timeline of a simulated world in the panel, or hide it."""
        world = self.cluster
        if self._inside.widget is not None:
            self._inside.close()
        elif world is not None and world.where == "sim":
            self._inside.open(world)
        self.timeline = self._inside.widget

    def toggle_dock(self) -> None:
        """Put the panel beside the page, or back into it."""
        if self.docked:
            self._dock.close()
        elif can_dock():
            self._dock.open(self, f"cluster panel {self.number}")
        self.docked = self._dock.place is not None


def _follow(seen: "weakref.ref[Panel]", orders: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Let a panel look every `PACE` seconds, and at once when it gets an order; keep it alive no longer than others do."""
    last = time.monotonic()
    going_on = True
    while going_on:
        try:
            order = orders.get(timeout=PACE)
        except queue.Empty:
            order = None
        shown, now = seen(), time.monotonic()
        going_on = shown is not None and shown._look(order, now - last)
        del shown
        last = now
