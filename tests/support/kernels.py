"""A real Jupyter kernel for tests: send cells as JupyterLab does, the same cell again and again.

with kernel() as cells:
    cells.run("n = 1", cell="a")
    assert cells.value("n") == "1"
"""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

LIMIT = 60.0


class Cells:
    """A kernel that runs cells and keeps the errors of the last one."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.error = ""
        self.shown: list[dict[str, Any]] = []
        """What the last cell displayed, as MIME bundles."""

    def run(self, code: str, cell: str = "") -> str:
        """Run `code`, with the id of a cell as JupyterLab sends it, and return what it printed."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        request = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(request)
        self.error, self.shown, printed = "", [], ""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=LIMIT)
            except Empty:
                raise RuntimeError(f"The kernel said nothing for {LIMIT:.0f} s while it ran:\n{code}") from None
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            body = message["content"]
            match message["msg_type"]:
                case "stream":
                    printed += body["text"]
                case "error":
                    self.error = f"{body['ename']}: {body['evalue']}"
                case "display_data" | "execute_result":
                    self.shown.append(body["data"])
                case "status" if body["execution_state"] == "idle":
                    return printed

    def value(self, expression: str) -> str:
        """Return what `expression` is, printed."""
        printed = self.run(f"print({expression})")
        assert not self.error, self.error
        return printed.strip()


@contextmanager
def kernel() -> Iterator[Cells]:
    """Start a kernel and end it with all that it started."""
    manager, client = start_new_kernel(startup_timeout=LIMIT)
    try:
        yield Cells(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
