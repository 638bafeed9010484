"""What a student sees: figures, the panel, the four scenarios, the labs' checks.

    from chatsys.teach import figures, panel, scenarios

`show(thing)` shows whatever has a look of its own: a cluster or a world as a panel, a run or a
trace as its figures.
"""

from typing import Any

import lazy_loader

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submodules=["figures", "scenarios"])

__all__ = ["figures", "scenarios", "show"]


def show(thing: Any, **options: Any) -> Any:
    """Return the panel of a cluster or a world; draw the roles and the deliveries of a trace, a run or a demo."""
    if hasattr(thing, "status") and hasattr(thing, "crash"):
        from chatsys.teach.widgets.panel.panel import panel

        return panel(thing, **options)
    from IPython.display import display

    from chatsys.teach import figures
    from chatsys.trace import trace_of

    trace = trace_of(thing)
    for figure in (figures.roles(trace), figures.delivery_matrix(trace)):
        display(figure)  # type: ignore[no-untyped-call]
    return None
