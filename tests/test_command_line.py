"""The command line: each command as a person types it, and every wrong use answered by one sentence."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from test_config import BAD

from chatsys.__main__ import main

COMMANDS = (
    *(
        "lab",
        "demo",
        "grade",
        "doctor",
        "node",
        "cluster up",
        "cluster status",
        "client",
        "verify",
        "simulate",
        "bench",
    ),
)

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command line and returns (exit code, stdout, stderr)."""

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["chatsys", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return code, said.out, said.err

    return call


def refused(answer: tuple[int, str, str], words: str) -> None:
    """Assert that a command was refused: exit code 2, one sentence on stderr, nothing on stdout."""
    code, out, err = answer
    assert code == 2, (out, err)
    assert out == ""
    assert err.startswith("chatsys: ") and err.count("\n") == 1 and err.rstrip().endswith((".", "?", "help."))
    assert words in err
    assert "Traceback" not in err


# --- help -------------------------------------------------------------------------------------


def test_chatsys_alone_lists_its_commands(run: Run) -> None:
    code, out, _ = run()
    assert code == 0
    for name in COMMANDS:
        assert name.split()[0] in out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_an_example(run: Run, name: str) -> None:
    code, out, _ = run(*name.split(), "--help")
    assert code == 0
    assert re.search(rf"Examples?.*chatsys {name}", out, re.DOTALL)


def test_the_version_is_told(run: Run) -> None:
    code, out, _ = run("--version")
    assert code == 0 and re.fullmatch(r"chatsys \d+\.\d+\.\d+\n", out)


# --- wrong arguments --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line, words",
    [
        ("dance", "No such command 'dance'"),
        ("demo --wher sim", "No such option: --wher"),
        ("demo --where mars", "--where is 'mars'; write sim, kernel or processes"),
        ("demo --scenario war", "--scenario is 'war'; write normal, leader-failure"),
        ("demo --nodes 0", "--nodes"),
        ("demo --nodes 8", "--nodes"),
        ("demo --nodes three", "--nodes"),
        ("demo --quorum 4", "quorum is 4; with 3 members write majority or a number from 1 to 3"),
        ("demo --quorum 0", "quorum is 0; with 3 members"),
        ("demo --quorum most", "quorum is 'most'"),
        ("demo --quorum -1", "quorum is -1"),
        ("demo --scenario recovery --nodes 1", "take more nodes or a smaller quorum"),
        ("demo --seed -1", "--seed"),
        ("simulate --seeds 5", "--seeds is '5'; write A:B"),
        ("simulate --seeds 5:5", "--seeds is '5:5'; write A:B with A less than B"),
        ("simulate --seeds 9:5", "--seeds is '9:5'"),
        ("simulate --seeds a:b", "--seeds is 'a:b'"),
        ("simulate --seeds -1:5", "--seeds"),
        ("simulate --faults rain", "'rain' is no kind of fault; write all, or some of loss"),
        ("simulate --quorum 9", "quorum is 9"),
        ("simulate --seconds 0", "--seconds"),
        ("simulate --jobs -1", "--jobs"),
        ("simulate --part election", "--part is 'election'; write NAME=FILE:Class"),
        ("simulate --part elektion=x.py:A", "--part names elektion, but the parts are membership"),
        ("simulate --part election=none.py:A", "--part names the file none.py, which is not there"),
        ("bench", "Missing argument 'NAME'"),
        ("bench dinner", "NAME is 'dinner'; write"),
        ("bench startup --where kernel", "bench startup takes no --where; it takes --nodes, --rounds"),
        ("bench failover --where sim", "--where is 'sim'; write kernel or processes"),
        ("node", "Missing option '--config'"),
        ("node --config none.yml", "none.yml cannot be read: No such file or directory"),
        ("verify", "Missing argument 'DIR...'"),
        ("verify none", "cannot be read (No such file or directory); give the data folder of a node"),
        ("client --port 0", "--port"),
        ("client --port 70000", "--port"),
        ("cluster status --data none", "No cluster is up in none; start one with chatsys cluster up"),
        ("cluster up --nodes 9", "--nodes"),
        ("grade none.ipynb --lab 03-total-order", "none.ipynb is not a file"),
        ("grade none.ipynb", "Missing option '--lab'"),
    ],
)
def test_wrong_arguments_get_one_sentence(run: Run, line: str, words: str) -> None:
    refused(run(*line.split()), words)


def test_a_port_where_nobody_listens_is_said_soon(run: Run, free_ports: list[int]) -> None:
    refused(run("client", "--port", free_ports[0]), f"No node of the cluster answers (127.0.0.1:{free_ports[0]}")


@pytest.mark.parametrize("name", ["x" * 200, "a\x1bb", "  "])
def test_a_name_that_the_cluster_would_refuse_is_refused(run: Run, name: str) -> None:
    refused(run("client", "--name", name), "--name or --room cannot be used")


# --- bad configs and bad data -----------------------------------------------------------------


@pytest.fixture
def config(tmp_path: Path, free_ports: list[int]) -> Callable[..., Path]:
    """Return a function that writes a node's config file and returns its path."""

    def write(node: int = 1, data: object = None, port: int | None = None, more: str = "") -> Path:
        ports = dict(zip((1, 2, 3), free_ports, strict=True))
        ports[node] = port or ports[node]
        members = ", ".join(f"{id}: '127.0.0.1:{port}'" for id, port in ports.items())
        path = tmp_path / f"node{node}.yml"
        path.write_text(f"node: {node}\nmembers: {{{members}}}\ndata: {data or tmp_path / f'data{node}'}\n{more}")
        return path

    return write


@pytest.mark.parametrize("text, words", BAD.values(), ids=BAD.keys())
def test_a_node_refuses_a_bad_config(run: Run, tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "my.yml"
    path.write_text(text)
    refused(run("node", "--config", path), words)


def test_a_config_that_is_no_text_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my.yml").write_bytes(b"node: \xff\xfe")
    refused(run("node", "--config", tmp_path / "my.yml"), "is not UTF-8 text")
    refused(run("node", "--config", tmp_path), "cannot be read: Is a directory")


def test_a_port_in_use_is_said(run: Run, config: Callable[..., Path]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = run("node", "--config", config(port=port))
    assert code == 2 and out == ""
    last = err.splitlines()[-1]
    assert last.startswith(f"chatsys: The address 127.0.0.1:{port} cannot be used") and "Traceback" not in err


def test_a_data_folder_that_cannot_be_used_is_said(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused(run("node", "--config", config(data=tmp_path / "file")), "is not a folder")
    refused(run("node", "--config", config(data="/proc/none")), "The data folder /proc/none cannot be")


BOOT = {"type": "boot", "incarnation": 1, "cluster": "chat", "node": 1, "format": 1}


def write_log(folder: Path, *records: dict[str, Any], tail: bytes = b"") -> Path:
    """Write a log with sound checksums, and `tail` after it."""
    from zlib import crc32

    folder.mkdir()
    lines = []
    for record in records:
        body = json.dumps(record, separators=(",", ":")).encode()
        lines.append(b'%b,"crc":"%08x"}\n' % (body[:-1], crc32(body)))
    (folder / "log.jsonl").write_bytes(b"".join(lines) + tail)
    return folder


def entry(seq: int, text: str) -> dict[str, Any]:
    facts = {"seq": seq, "term": 1, "kind": "chat", "client_id": "c", "client_seq": seq, "text": text}
    return {"type": "entry", "entry": facts}


def test_damage_in_the_middle_is_said_with_its_line(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    folder = write_log(tmp_path / "data1", BOOT, entry(1, "a"))
    (folder / "log.jsonl").write_bytes((folder / "log.jsonl").read_bytes() + b"rubbish\nrubbish\n")
    refused(run("node", "--config", config()), "is damaged at line 3")


def test_the_log_of_another_node_or_cluster_is_refused(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    write_log(tmp_path / "data1", BOOT | {"node": 2})
    refused(run("node", "--config", config()), "belongs to node 2 of cluster 'chat', not to node 1")
    write_log(tmp_path / "data2", BOOT | {"node": 2, "cluster": "tea"})
    refused(run("node", "--config", config(2)), "belongs to node 2 of cluster 'tea'")


def test_verify_tells_damage_difference_and_torn_tails(run: Run, tmp_path: Path) -> None:
    hint = {"type": "commit", "seq": 2}
    one = write_log(tmp_path / "1", BOOT, entry(1, "a"), entry(2, "b"), hint)
    two = write_log(tmp_path / "2", BOOT | {"node": 2}, entry(1, "a"), entry(2, "b"), hint, tail=b'{"type":"ent')
    three = write_log(tmp_path / "3", BOOT | {"node": 3}, entry(1, "a"), entry(2, "x"), hint)
    code, out, _ = run("verify", one, two, "--json")
    result = json.loads(out)
    assert code == 0 and result["ok"] and result["messages"] == 2 and result["first_difference"] is None
    assert result["nodes"][str(two)]["torn"] == 12
    code, out, _ = run("verify", one, three)
    assert code == 1 and "S1 agreement: at position 2" in out and "VIOLATED" in out
    (one / "log.jsonl").write_bytes(b"rubbish\n" + (one / "log.jsonl").read_bytes())
    code, out, err = run("verify", one, two)
    assert code in (1, 2) and ("DAMAGED at line 1" in out or "first line must be a boot record" in err)


# --- commands that report ---------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["normal", "leader-failure", "recovery", "concurrent"])
def test_a_demo_prints_exactly_its_object(run: Run, scenario: str) -> None:
    code, out, err = run("demo", "--scenario", scenario, "--json")
    assert code == 0 and err == "" and out.count("\n") == 1
    result = json.loads(out)
    assert list(result) == [
        *("scenario", "where", "quorum", "messages", "delivered", "violations", "leaders", "failover_seconds"),
    ]
    assert result["scenario"] == scenario and result["quorum"] == 2 and result["violations"] == []
    assert set(result["delivered"]) == {"1", "2", "3"}
    assert set(result["delivered"].values()) == {result["messages"]}
    assert (result["failover_seconds"] is not None) == (scenario == "leader-failure")


def test_a_demo_can_be_read_by_people_and_repeats_itself(run: Run) -> None:
    first = run("demo", "--scenario", "leader-failure", "--seed", 3)
    assert first[0] == 0 and "held       every invariant that was checked" in first[1]
    assert run("demo", "--scenario", "leader-failure", "--seed", 3) == first


def test_split_brain_is_violated_with_quorum_1_and_held_with_a_majority(run: Run) -> None:
    code, out, _ = run("demo", "--scenario", "split-brain", "--quorum", 1)
    assert code == 1 and "VIOLATED   S1 agreement" in out
    code, out, _ = run("demo", "--scenario", "split-brain")
    assert code == 0 and "VIOLATED" not in out


def test_simulate_prints_exactly_its_object_whatever_the_jobs(run: Run) -> None:
    results = []
    for jobs in (1, 2):
        code, out, _ = run("simulate", "--seeds", "0:6", "--jobs", jobs, "--seconds", 5, "--json")
        assert code == 0 and out.count("\n") == 1
        results.append(json.loads(out))
    assert list(results[0]) == [
        *("schedules", "events", "messages", "seconds", "violations", "inconclusive", "trace_hash"),
    ]
    for result in results:
        del result["seconds"]
    assert results[0] == results[1]
    assert results[0]["schedules"] == 6 and results[0]["violations"] == results[0]["inconclusive"] == []


def test_a_violation_tells_what_replays_it(run: Run) -> None:
    code, out, _ = run("simulate", "--seeds", "0:8", "--quorum", 1, "--jobs", 1, "--json")
    assert code == 1
    violation = json.loads(out)["violations"][0]
    assert list(violation) == ["seed", "invariant", "sentence", "replay"]
    replay = violation["replay"].removeprefix("python -m chatsys ").split()
    code, out, _ = run(*replay, "--jobs", 1, "--json")
    assert code == 1 and json.loads(out)["violations"][0] == violation


def test_a_violation_is_shrunk_to_a_story_and_code(run: Run) -> None:
    code, out, _ = run("simulate", "--seeds", "1:2", "--quorum", 1, "--jobs", 1, "--shrink", "--json")
    shrunk = json.loads(out)["shrunk"]
    assert code == 1 and 0 < shrunk["steps"] < 60
    assert shrunk["code"].startswith("world = World(seed=")


def test_a_part_of_ones_own_is_played(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from chatsys.protocol.election import Bully\n"
        "class Fine(Bully):\n    pass\n"
        "class Broken(Bully):\n    def on_message(self, sender, message, now):\n        raise ValueError('oops')\n"
    )
    options = ("simulate", "--seeds", "0:2", "--seconds", 3)
    assert run(*options, "--jobs", 1, "--part", f"election={mine}:Fine")[0] == 0
    code, out, _ = run(*options, "--jobs", 2, "--part", f"election={mine}:Broken", "--json")
    first = json.loads(out)["violations"][0]
    assert code == 1 and "ValueError: oops (mine.py, line 6)" in first["sentence"]
    assert first["replay"].endswith(f"--part election={mine}:Broken")
    refused(run(*options, "--part", f"election={mine}:Nope"), "has no class Nope; it has Bully, Fine, Broken")
    mine.write_text("1 / 0")
    refused(run(*options, "--part", f"election={mine}:Fine"), "cannot be run: ZeroDivisionError: division by zero")


def test_the_doctor_looks_at_everything(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    result = json.loads(out)
    assert code == 0 and result["ok"]
    assert result["findings"]["listening"]["fine"] and result["findings"]["syncing to disk"]["fine"]
    code, out, _ = run("doctor")
    assert code == 0 and "ok       Python" in out


# --- real processes ---------------------------------------------------------------------------


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
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.fixture
def nodes(config: Callable[..., Path]) -> Iterator[dict[int, "subprocess.Popen[str]"]]:
    """Three nodes, each started as in a terminal of its own."""
    running = {node: start("node", "--config", config(node)) for node in (1, 2, 3)}
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


@pytest.mark.slow
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
        assert re.search(rf"node {node}  term \d+ .* membership", err)
        assert "deliver    #3 seq" in err and err.splitlines()[-1].rstrip().endswith("stop")

    code, out, _ = run("verify", *(tmp_path / f"data{node}" for node in (1, 2, 3)), "--json")
    assert code == 0 and json.loads(out)["messages"] == 3


@pytest.mark.slow
def test_two_nodes_on_one_folder_and_one_address(
    nodes: dict[int, "subprocess.Popen[str]"], config: Callable[..., Path], run: Run, free_ports: list[int]
) -> None:
    assert say("hello\n", "--port", free_ports[0])[0] == 0
    refused(run("node", "--config", config(1)), f"is in use by process {nodes[1].pid}; stop that node first")
    code, _, err = stop(nodes[1], signal.SIGTERM)
    assert code == 0 and "Traceback" not in err


@pytest.mark.slow
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


@pytest.mark.slow
def test_another_cluster_refuses_the_client(
    nodes: dict[int, "subprocess.Popen[str]"], free_ports: list[int], run: Run
) -> None:
    assert say("hello\n", "--port", free_ports[0])[0] == 0
    refused(run("client", "--port", free_ports[0], "--cluster", "tea"), "This node belongs to the cluster 'chat'")


@pytest.mark.slow
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
    assert code == 0 and "held: 1 messages in one order" in out


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_long_work_without_a_traceback(jobs: int) -> None:
    process = start("simulate", "--seeds", "0:5000", "--jobs", jobs)
    time.sleep(2.5)  # the work is under way; nothing can be waited for, since nothing is printed
    code, out, err = stop(process)
    assert (code, out) == (130, "") and err.endswith("Stopped.\n") and "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--help",), ("simulate", "--seeds", "0:1", "--seconds", "1")])
def test_nobody_reads_is_no_traceback(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "chatsys", *words], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 141 and done.stderr == ""


@pytest.mark.slow
def test_the_same_seeds_give_the_same_traces_under_any_hash_seed() -> None:
    found = set()
    for hash_seed in ("0", "1", "4242"):
        out = subprocess.check_output(
            [sys.executable, "-m", "chatsys", "simulate", "--seeds", "0:3", "--seconds", "8", "--jobs", "1", "--json"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        found.add(hashlib.sha256(json.loads(out)["trace_hash"].encode()).hexdigest())
    assert len(found) == 1
