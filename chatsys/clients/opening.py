"""Opening: which client a person gets, the one that fills the screen or the one for a line at a time.

The screen needs a terminal for all three streams: it reads keys from the first, and textual draws on the third.
Whoever has none (a pipe, a file, a terminal without a cursor) or asks for it (`--plain`) gets the line client,
which says the same in lines.

Promises  textual is imported only when the screen opens; where it is not installed, a sentence says so.
Read also `screen`, `line`; `commands.nodes` (the options).
"""

import os
import sys
from collections.abc import Sequence

from chatsys.clients import line

WITHOUT_CURSOR = {"", "dumb", "unknown"}
"""What a terminal calls itself (TERM) that can only write one line after the other."""


def main(addresses: Sequence[str], name: str, room: str, cluster: str, plain: bool = False) -> int:
    """Chat until the person leaves; return the exit code."""
    if plain or not can_show():
        return line.main(addresses, name, room, cluster)
    try:
        from chatsys.clients.screen import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        print(
            "chatsys: this is the plain client, for textual is not installed; "
            "pip install 'chatsys[clients]' brings the one that fills the screen.",
            file=sys.stderr,
        )
        return line.main(addresses, name, room, cluster)
    return app.main(addresses, name, room, cluster)


def can_show() -> bool:
    """Tell whether somebody sits at a terminal in which any cell can be written, in any script."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return False
    if os.name != "nt" and os.environ.get("TERM", "") in WITHOUT_CURSOR:
        return False
    return (sys.stderr.encoding or "").lower().replace("-", "") == "utf8"
