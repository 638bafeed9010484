"""Drawing: plotly, loaded without what nobody needs here, and with no way out of this machine.

Two habits of plotly do not fit a classroom.  It loads a validator of notebook files to read one
version number, which takes longer than all of chatsys.  And every figure has a bar of ten buttons,
one of which uploads the figure, with everything in it, to a company.

    load()                      plotly.io, without the validator
    configure(modebar=False)    what every figure gets, on each of the ways in which it is shown:
                                as a value, `fig.show()`, `FigureWidget`, `fig.write_html()`

Promises  other libraries see nothing of it: no module is hidden from or replaced for anybody else.
          A figure's own `config` wins over ours, but the button that uploads stays away.
Read also `theme`, which needs both.
"""

import sys
from importlib import import_module, metadata
from types import ModuleType
from typing import Any

NO_BUTTON = {"showSendToCloud": False, "plotlyServerURL": ""}
"""No button that uploads, and no address to upload to."""
USERS = ("plotly.io._base_renderers", "plotly.io._html")
"""The modules of plotly that keep a name of their own for the function that makes a figure's config."""


class Version(ModuleType):
    """Stands for a module of which mostly nothing but the version is asked; the module is loaded when more is."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


def load() -> Any:
    """Import plotly.io; what it wants of nbformat is a version, and that is all it gets for now.

    Importing nbformat takes 1.2 s of CPU, for it builds grammars of web addresses.  Where it
    was imported before, that is paid already.
    """
    if "nbformat" in sys.modules:
        return import_module("plotly.io")
    for first in ("plotly.graph_objs", "plotly.io._base_renderers"):  # what asks for other modules
        import_module(first)
    optional: Any = import_module("plotly.optional_imports")
    get_module = optional.get_module
    optional.get_module = lambda name, *more, **named: _version(name) or get_module(name, *more, **named)
    try:
        import_module("plotly.io._renderers")
        return import_module("plotly.io")
    finally:
        optional.get_module = get_module


def _version(name: str) -> Version | None:
    if name != "nbformat":
        return None
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
    module = Version(name)
    module.__version__ = found  # type: ignore[attr-defined]
    return module


def configure(*, modebar: bool) -> None:
    """Give every figure from now on a bar of buttons or none, and never the one that uploads."""
    offline: Any = import_module("plotly.offline.offline")
    clean = getattr(offline._get_jconfig, "of_plotly", offline._get_jconfig)

    def ours(config: Any = None) -> dict[str, Any]:
        """Check a config as plotly does, and put ours below it."""
        return {"displayModeBar": modebar, "displaylogo": False, **clean(config), **NO_BUTTON}

    ours.of_plotly = clean  # type: ignore[attr-defined]
    for module in [offline, *(sys.modules[name] for name in USERS if name in sys.modules)]:
        module._get_jconfig = ours
