"""Real processes, as in terminals: three nodes and a client, Ctrl-C, pipes, JupyterLab."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from served import fetch
from typed import Run, refused


def start(*words: object, **options: Any) -> "subprocess.Popen[str]":
    """Start a command line in a process group of its own, as a terminal does."""
    return subprocess.Popen(
        [sys.executable, "-m", "chatsys", *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, **options,
    )  # fmt: skip


def stop(process: "subprocess.Popen[str]", how: int = signal.SIGINT) -> tuple[int, str, str]:
    """Press Ctrl-C (or send another signal) and return (exit code, stdout, stderr)."""
    os.killpg(process.pid, how)
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, out, err


def await_ports(ports: list[int]) -> None:
    """Wait until somebody listens at each: a client looks for a node for three seconds, and these only begin."""
    end = time.monotonic() + 60
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 5).close()
                break
            except OSError:
                assert time.monotonic() < end, f"nobody listens at {port}"
                time.sleep(0.05)


@pytest.fixture
def nodes(config: Callable[..., Path], free_ports: list[int]) -> Iterator[dict[int, "subprocess.Popen[str]"]]:
    """Three nodes, each started as in a terminal of its own."""
    running = {node: start("node", "--config", config(node)) for node in (1, 2, 3)}
    await_ports(free_ports)
    yield running
    for process in running.values():
        if process.poll() is None:
            process.kill()
        process.communicate()


def say(text: str, *options: object) -> tuple[int, str, str]:
    """Say `text` through a client that is fed by a pipe."""
    process = start("client", *options)
    out, err = process.communicate(text, timeout=30)
    return process.returncode, out, err


def test_three_terminals_and_a_client_in_a_fourth(
    nodes: dict[int, "subprocess.Popen[str]"], free_ports: list[int], tmp_path: Path, run: Run
) -> None:
    code, out, err = say("hello\nשלום 👋\n", "--port", free_ports[0], "--name", "ann")
    assert code == 0, err
    assert "#1 ann: hello" in out and "#2 ann: שלום 👋" in out and out.count("is acknowledged") == 2

    nodes[3].kill()
    code, out, err = say("after the crash\n", "--port", free_ports[2], "--port", free_ports[0], "--name", "bob")
    assert code == 0, err
    assert "#3 bob: after the crash" in out

    ends = {node: stop(nodes[node]) for node in (1, 2)}
    for node, (code, out, err) in ends.items():
        assert code == 0 and out == "" and "Traceback" not in err
        lines = err.splitlines()
        assert lines[0].startswith(f"node {node} of 3 listens on 127.0.0.1:{free_ports[node - 1]}, log in")
        assert re.search(rf"node {node}  is in touch with node {3 - node}$", err, re.MULTILINE)
        assert "#3 bob: after the crash" in err and lines[-1].endswith("has stopped; its log is on the disk")
        assert max(map(len, lines)) <= 80

    code, out, _ = run("verify", *(tmp_path / f"data{node}" for node in (1, 2, 3)), "--json")
    assert code == 0 and json.loads(out)["messages"] == 3


@pytest.mark.parametrize("loop", ["asyncio", *(["uvloop"] if find_spec("uvloop") else [])])
def test_nodes_run_on_each_event_loop_that_is_here(
    config: Callable[..., Path], free_ports: list[int], loop: str
) -> None:
    running = {node: start("node", "--config", config(node), "--loop", loop) for node in (1, 2, 3)}
    try:
        await_ports(free_ports)
        code, out, err = say("hello\n", "--port", free_ports[0], "--name", "ann")
        assert code == 0 and "#1 ann: hello" in out, err
        for process in running.values():
            code, _, err = stop(process)
            assert code == 0 and "has stopped" in err and "Traceback" not in err
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.communicate()


def test_an_event_loop_that_is_not_here_is_refused(
    config: Callable[..., Path], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    refused(run("node", "--config", config(1), "--loop", "uvloop"), "--loop is uvloop, which is not installed; run pip")
    refused(run("node", "--config", config(1), "--loop", "trio"), "--loop is 'trio'; write asyncio or uvloop.")


def test_what_a_node_recovers_is_one_line_at_each_start(config: Callable[..., Path], free_ports: list[int]) -> None:
    for life in (1, 2):
        node = start("node", "--config", config(1, more="quorum: 1\ntiming: {profile: fast}\n"))
        await_ports(free_ports[:1])
        said = "".join(f"message {number}\n" for number in range(50)) if life == 1 else "again\n"
        code, _, err = say(said, "--port", free_ports[0], "--name", "ann")
        assert code == 0, err
        code, _, err = stop(node)
        assert code == 0 and err.count("from its log") == life - 1
        assert len(err.splitlines()) < 25
    assert "delivered #1 to #50 from its log, last is ann: message 49" in err


def test_a_text_that_cannot_be_said_is_refused_and_the_chat_goes_on(
    nodes: dict[int, "subprocess.Popen[str]"], free_ports: list[int]
) -> None:
    code, out, err = say(f"{'x' * 70_000}\na\x1b[2Jb\n<b>fine</b> 👋\n", "--port", free_ports[0], "--name", "eve")
    assert code == 2, err
    assert "not said: too_large: the text is longer than 65536 bytes; split it." in out
    assert "not said: denied: it contains the control character U+001B; remove it." in out
    assert "#1 eve: <b>fine</b> 👋" in out and "\x1b" not in out


def test_two_nodes_on_one_folder_and_one_address(
    nodes: dict[int, "subprocess.Popen[str]"], config: Callable[..., Path], run: Run, free_ports: list[int]
) -> None:
    assert say("hello\n", "--port", free_ports[0])[0] == 0
    refused(run("node", "--config", config(1)), f"is in use by process {nodes[1].pid}; stop that node first")
    code, _, err = stop(nodes[1], signal.SIGTERM)
    assert code == 0 and "Traceback" not in err


def test_a_client_of_a_cluster_without_quorum_says_what_is_not_acknowledged(
    nodes: dict[int, "subprocess.Popen[str]"], free_ports: list[int]
) -> None:
    assert say("hello\n", "--port", free_ports[0])[0] == 0
    nodes[2].kill()
    nodes[3].kill()
    client = start("client", "--port", free_ports[0])
    assert client.stdin is not None and client.stdout is not None
    client.stdin.write("is anybody there\n")
    client.stdin.flush()
    while "not acknowledged yet" not in client.stdout.readline():
        pass
    code, _, err = stop(client)
    assert code == 3 and "not acknowledged, perhaps delivered, perhaps not: is anybody there" in err


def test_another_cluster_refuses_the_client(
    nodes: dict[int, "subprocess.Popen[str]"], free_ports: list[int], run: Run
) -> None:
    assert say("hello\n", "--port", free_ports[0])[0] == 0
    refused(run("client", "--port", free_ports[0], "--cluster", "tea"), "This node belongs to the cluster 'chat'")


def test_cluster_up_status_and_ctrl_c(tmp_path: Path, run: Run) -> None:
    data = tmp_path / "up"
    up = start("cluster", "up", "--data", data)
    assert up.stdout is not None
    while "leader" not in (line := up.stdout.readline()):
        assert line, up.communicate()
    end = time.monotonic() + 10
    while (found := run("cluster", "status", "--data", data, "--json"))[0] != 0 or not json.loads(found[1])["leader"]:
        assert time.monotonic() < end, found
    result = json.loads(found[1])
    assert result["leader"] == 3 and set(result["nodes"]) == {"1", "2", "3"}
    code, out, _ = run("cluster", "status", "--data", data)
    assert code == 0 and "leader: 3" in out
    port = result["members"]["1"].rpartition(":")[2]
    assert say("hello\n", "--port", port)[0] == 0
    code, _, err = stop(up)
    assert code == 0 and "Stopping all nodes" in err and "Traceback" not in err
    refused(run("cluster", "status", "--data", data), "No cluster is up in")
    code, out, _ = run("verify", *(data / name for name in sorted(os.listdir(data)) if (data / name).is_dir()))
    assert code == 0 and "held: 1 message in one order" in out


def test_sigterm_ends_cluster_up_as_ctrl_c_does(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsys.commands.nodes._watch", lambda *_: signal.raise_signal(signal.SIGTERM))
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        code, out, err = run("cluster", "up", "--nodes", 1, "--data", tmp_path / "up")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert "node 1 listens on" in out and code == 130, (code, err)


@pytest.fixture
def lab(tmp_path: Path, free_ports: list[int]) -> Iterator["subprocess.Popen[str]"]:
    """JupyterLab as `chatsys lab` starts it, with its settings in a private folder."""
    private = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    running = start("lab", "--no-browser", "--port", free_ports[0], env=os.environ | private)
    yield running
    os.killpg(running.pid, signal.SIGTERM)
    running.communicate(timeout=30)


def test_lab_serves_the_tour_and_the_labs(lab: "subprocess.Popen[str]") -> None:
    assert lab.stderr is not None
    found = next(found for line in lab.stderr if (found := re.search(r"(http://127\S+?:\d+)(/\S+)\?token=(\w+)", line)))
    place, page, token = found.groups()
    assert page == "/lab/tree/notebooks/00-tour.ipynb"
    for path in ("notebooks/00-tour.ipynb", "labs/source"):
        assert fetch(f"{place}/api/contents/{path}?content=0&token={token}")["path"] == path


def until(holds: Callable[[], bool], process: "subprocess.Popen[str]", limit: float = 60.0) -> None:
    """Wait until it holds; a process that does not come so far is ended."""
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            process.kill()
            raise AssertionError(f"{process.args!r} did not come so far in {limit:g} s: {process.communicate()}")
        time.sleep(0.05)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_long_work_without_a_traceback(jobs: int, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    process = start("simulate", "--seeds", "0:5000", "--jobs", jobs, "--resume", results)
    until(lambda: results.exists() and results.read_bytes().count(b"\n") > 1, process)
    code, out, err = stop(process)
    assert (code, out) == (130, "") and err.endswith("Stopped.\n") and "Traceback" not in err


@pytest.mark.parametrize("words", [("--help",), ("simulate", "--seeds", "0:1", "--seconds", "1")])
def test_nobody_reads_is_no_traceback(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "chatsys", *words], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


def test_the_same_seeds_give_the_same_traces_under_any_hash_seed() -> None:
    found = set()
    for hash_seed in ("0", "1", "4242"):
        out = subprocess.check_output(
            [sys.executable, "-m", "chatsys", "simulate", "--seeds", "0:3", "--seconds", "8", "--jobs", "1", "--json"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        found.add(hashlib.sha256(json.loads(out)["trace_hash"].encode()).hexdigest())
    assert len(found) == 1
