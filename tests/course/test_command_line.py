"""The command line: each command as a person types it, and every wrong use answered by one sentence."""

import inspect
import json
import re
import socket
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bad_configs import BAD
from typed import Run, refused

from chatsys.campaign import bench
from chatsys.clients.line import PATIENCE
from chatsys.errors import UsageError

COMMANDS = (
    "lab", "demo", "release", "grade", "report", "forget", "doctor", "node", "cluster up", "cluster status",
    "cluster accept", "client", "verify", "simulate", "bench", "mutants", "soak", "explore", "fuzz", "outsider",
)  # fmt: skip


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
        ("demo --where mars", "--where is 'mars'; write sim, kernel, processes or containers"),
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
        ("simulate --calm -1", "--calm"),
        ("simulate --talk 0", "--talk"),
        ("simulate --turn 2", "--turn"),
        ("simulate --resume .", ". cannot be used for results: it is no ordinary file"),
        ("simulate --jobs -1", "--jobs"),
        ("simulate --part election", "--part is 'election'; write NAME=FILE:Class"),
        ("simulate --part elektion=x.py:A", "--part names elektion, but the parts are identities, fence"),
        ("simulate --part election=none.py:A", "--part names the file none.py, which is not there"),
        ("bench", "Missing argument 'NAME'"),
        ("bench dinner", "NAME is 'dinner'; write"),
        ("bench startup --where kernel", "bench startup takes no --where; it takes --nodes, --rounds"),
        ("bench latency --loop trio", "--loop is 'trio'; write asyncio or uvloop"),
        ("bench latency --beside redis", "--beside is 'redis'; write etcd"),
        ("bench throughput --where kernel --loop uvloop", "--loop is for nodes in processes of their own"),
        ("bench throughput --outstanding 0", "--outstanding"),
        ("bench throughput --seconds 0", "--seconds"),
        ("bench throughput --bytes 70000", "--bytes"),
        ("bench catchup --nodes 2", "bench catchup takes 3 nodes or more"),
        ("bench failover --where sim", "--where is 'sim'; write kernel or processes"),
        ("node", "Neither --config nor --join was given"),
        ("node --config none.yml", "none.yml cannot be read: No such file or directory"),
        ("verify", "Missing argument 'DIR...'"),
        ("verify none", "cannot be read (No such file or directory); give the data folder of a node"),
        ("client --port 0", "--port"),
        ("client --port 70000", "--port"),
        ("cluster status --data none", "No cluster is up in none; start one with chatsys cluster up"),
        ("cluster status --data=", "The word after --data is empty; write what is meant"),
        ("cluster restore b d --id-from node1", "--id-from was given without --config"),
        ("cluster leave 4 --id-from node1", "--id-from was given without --config"),
        ("cluster up --nodes 9", "--nodes"),
        ("grade none.ipynb --lab 03-total-order", "none.ipynb is not a file"),
        ("grade none.ipynb", "Missing option '--lab'"),
        ("report none", "none cannot be read: No such file or directory; give the results.json of a class"),
        ("report pyproject.toml", "pyproject.toml is not the results.json of a class"),
        ("forget ann", "Missing option '--results'"),
    ],
)
def test_wrong_arguments_get_one_sentence(run: Run, line: str, words: str) -> None:
    refused(run(*line.split()), words)


def test_a_port_where_nobody_listens_is_said_soon(
    run: Run, free_ports: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE <= 3
    monkeypatch.setattr("chatsys.clients.line.PATIENCE", 0.5)
    refused(run("client", "--port", free_ports[0]), f"No node of the cluster answers (127.0.0.1:{free_ports[0]}")


def test_a_port_where_something_else_listens_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsys.clients.line.PATIENCE", 0.5)
    monkeypatch.setattr("chatsys.runtime.finding.GREETING_LIMIT", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_rudely, args=(listener,), daemon=True).start()
        answer = run("client", "--port", listener.getsockname()[1])
    refused(answer, "something else listens there, no node")


def _answer_rudely(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            link = listener.accept()[0]
            with link:
                link.recv(1 << 16)
                link.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("name", ["x" * 200, "a\x1bb", "  "])
def test_a_name_that_the_cluster_would_refuse_is_refused(run: Run, name: str) -> None:
    refused(run("client", "--name", name), "--name or --room cannot be used")


# --- bad configs and bad data -----------------------------------------------------------------


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


BOOT = {"type": "boot", "incarnation": 1, "cluster": "chat", "node": 1, "format": 3}


def write_log(folder: Path, *records: dict[str, Any], tail: bytes = b"") -> Path:
    """Write a log of one batch with a sound checksum, and `tail` after it."""
    from zlib import crc32

    folder.mkdir()
    lines = b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)
    head = b'{"type":"batch","number":1,"bytes":%d' % len(lines)
    (folder / "log.jsonl").write_bytes(b'%b,"crc":"%08x"}\n%b%b' % (head, crc32(head + lines), lines, tail))
    return folder


def entry(seq: int, text: str) -> dict[str, Any]:
    facts = {"seq": seq, "term": 1, "kind": "chat", "client_id": "c", "client_seq": seq, "text": text}
    return {"type": "entry", "entry": facts}


def test_damage_in_the_middle_is_said_with_its_line(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    folder = write_log(tmp_path / "data1", BOOT, entry(1, "a"))
    (folder / "log.jsonl").write_bytes((folder / "log.jsonl").read_bytes() + b"rubbish\nrubbish\n")
    refused(run("node", "--config", config()), "is damaged at line 4")


def test_the_log_of_another_node_or_cluster_is_refused(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    write_log(tmp_path / "data1", BOOT | {"node": 2})
    refused(run("node", "--config", config()), "belongs to node 2 of cluster 'chat', not to node 1", code=4)
    write_log(tmp_path / "data2", BOOT | {"node": 2, "cluster": "tea"})
    refused(run("node", "--config", config(2)), "belongs to node 2 of cluster 'tea'", code=4)


def test_verify_tells_damage_difference_and_torn_tails(run: Run, tmp_path: Path) -> None:
    hint = {"type": "commit", "seq": 2}
    one = write_log(tmp_path / "1", BOOT, entry(1, "a"), entry(2, "b"), hint)
    two = write_log(tmp_path / "2", BOOT | {"node": 2}, entry(1, "a"), entry(2, "b"), hint, tail=b'{"type":"bat')
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
    assert " ".join(result) == "scenario where quorum messages delivered violations leaders failover_seconds"
    assert result["scenario"] == scenario and result["quorum"] == 2 and result["violations"] == []
    assert set(result["delivered"]) == {"1", "2", "3"}
    assert set(result["delivered"].values()) == {result["messages"]}
    assert (result["failover_seconds"] is not None) == (scenario == "leader-failure")


def test_a_demo_can_be_read_by_people_and_repeats_itself(run: Run) -> None:
    first = run("demo", "--scenario", "leader-failure", "--seed", 3)
    assert first[0] == 0 and "held       every rule that was checked" in first[1]
    assert run("demo", "--scenario", "leader-failure", "--seed", 3) == first


def test_a_demo_says_who_was_killed_and_what_it_caught_up(run: Run) -> None:
    _, out, _ = run("demo", "--scenario", "recovery")
    assert re.search(r"absent     node \d was killed at \d\.\d\d s, back at \d\.\d\d s, caught up 4 messages", out)


def test_split_brain_is_violated_with_quorum_1_and_held_with_a_majority(run: Run) -> None:
    code, out, _ = run("demo", "--scenario", "split-brain", "--quorum", 1)
    assert code == 1 and out.count("VIOLATED") == out.count("exactly") == 1, (
        "the first one is told, the others are counted"
    )
    assert re.search(
        r"VIOLATED   Nodes \d and \d do not agree: .* \(and 4 more after it; --json tells all\)\n  exactly    S1 agreement",
        out,
    )
    assert "  position: a place in the log" in out
    code, out, _ = run("demo", "--scenario", "split-brain")
    assert code == 0 and "VIOLATED" not in out


def test_simulate_prints_exactly_its_object_whatever_the_jobs(run: Run) -> None:
    results = []
    for jobs in (1, 2):
        code, out, _ = run("simulate", "--seeds", "0:6", "--jobs", jobs, "--seconds", 5, "--json")
        assert code == 0 and out.count("\n") == 1
        results.append(json.loads(out))
    assert list(results[0]) == [
        "schedules", "events", "messages", "seconds", "violations", "inconclusive", "seen", "not_judged",
        "trace_hash", "meaning", "warnings",
    ]  # fmt: skip
    for result in results:
        del result["seconds"]
    assert results[0] == results[1]
    assert results[0]["schedules"] == 6 and results[0]["violations"] == results[0]["inconclusive"] == []


def test_a_violation_tells_what_replays_it(run: Run) -> None:
    code, out, _ = run("simulate", "--seeds", "0:8", "--quorum", 1, "--jobs", 1, "--json")
    assert code == 1
    violation = json.loads(out)["violations"][0]
    assert list(violation) == ["seed", "invariant", "plain", "sentence", "replay"]
    replay = violation["replay"].removeprefix("python -m chatsys ").split()
    code, out, _ = run(*replay, "--jobs", 1, "--json")
    assert code == 1 and json.loads(out)["violations"][0] == violation


def test_a_violation_is_shrunk_to_a_story_and_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatsys.commands.simulate.BUDGETS", (600.0,))
    code, out, _ = run("simulate", "--seeds", "1:2", "--quorum", 1, "--jobs", 1, "--shrink", "--json")
    shrunk = json.loads(out)["shrunk"]
    assert code == 1 and 0 < shrunk["steps"] <= 12 < shrunk["steps_before"]
    assert shrunk["code"].startswith("from chatsys import World") and "\nworld = World(seed=" in shrunk["code"]


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
    refused(run(*options, "--part", f"election={mine}:Nope"), "has no class Nope; it has Fine, Broken")
    mine.write_text("1 / 0")
    refused(run(*options, "--part", f"election={mine}:Fine"), "cannot be run: ZeroDivisionError: division by zero")


def test_the_doctor_looks_at_everything(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    result = json.loads(out)
    assert code == 0 and result["ok"]
    assert result["findings"]["listening"]["fine"] and result["findings"]["syncing to disk"]["fine"]
    assert result["findings"]["Chromium"]["need"] == "optional"
    code, out, _ = run("doctor")
    assert code == 0 and "ok       Python" in out and "missing:" not in out


@pytest.mark.parametrize("command", ["lab", "grade", "cluster up"])
def test_each_example_has_a_line_of_its_own(run: Run, command: str) -> None:
    _, out, _ = run(*command.split(), "--help")
    assert not [line for line in out.splitlines() if line.count(f"chatsys {command} ") > 1]


def test_the_help_of_bench_names_the_benches_and_their_defaults(run: Run) -> None:
    _, out, _ = run("bench", "--help")
    told = " ".join(word for word in out.replace("│", " ").split())
    assert f"What to measure: {', '.join(bench.NAMES[:-1])} or {bench.NAMES[-1]}" in told
    for option in ("rounds", "messages", "connections", "outstanding", "bytes"):
        for name in bench.NAMES:
            taken = inspect.signature(bench.BENCHES[name]).parameters
            assert option not in taken or str(taken[option].default) in told


def test_a_demo_wraps_at_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, out, _ = run("demo", "--scenario", "split-brain", "--quorum", 1)
    assert "VIOLATED" in out and max(map(len, out.splitlines())) <= 80


def test_an_unknown_mutant_is_answered_in_two_lines_and_all_are_listed_one_a_line(run: Run) -> None:
    code, _, err = run("mutants", "nonsense")
    assert code == 2 and len(err) < 200 and "chatsys mutants --list tells all" in err
    code, out, _ = run("mutants", "--list", "vote twice", "no relay")
    assert code == 0 and [line.partition(":")[0] for line in out.splitlines()] == ["vote twice", "no relay"]


def test_the_table_of_mutants_has_heads(run: Run) -> None:
    code, out, _ = run("mutants", "vote twice")
    head, row, *_ = out.splitlines()
    assert code == 0 and head.split() == ["mutant", "found", "by", "with"]
    (found_by,) = [word for word in row.split() if word in ("S5", "S6", "S8")]
    assert f"\n  {found_by}: " in out, "a code is explained below the table"


def test_a_warning_is_its_sentence_and_shows_no_line_of_our_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def warn(*_words: object, **_more: object) -> None:
        warnings.simplefilter("always")
        warnings.warn("The disk is slow.", stacklevel=1)
        raise UsageError("It is enough.")

    before = warnings.showwarning
    monkeypatch.setattr("chatsys.campaign.soaking.soak.soak", warn)
    code, out, err = run("soak")
    assert (code, out) == (2, "") and err.splitlines()[-2:] == ["The disk is slow.", "chatsys: It is enough."]
    assert warnings.showwarning is before
