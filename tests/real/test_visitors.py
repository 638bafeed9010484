"""Somebody on the port, in earnest: three real nodes, an honest client, plain sockets."""

import json
from pathlib import Path

import psutil
import pytest
from typed import Run, refused

from chatsys.campaign.outsider import ATTACKS


def test_an_outsider_who_scans_and_resets_costs_nobody_anything(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    living = set(psutil.Process().children(recursive=True))  # such as the tracker of multiprocessing, from another test
    code, out, _ = run("outsider", "reset", "--seconds", 2, "--calm", 0.5, "--json")
    told = json.loads(out)
    [one] = told["attacks"]
    assert code == 0 and told["ok"], out
    assert one["acknowledged"] == one["said"] > 50 and one["visitors"][0]["connections"] > 20
    assert one["serving"]["during"]["answered"] > 20 and one["healed"] is not None
    assert list(tmp_path.iterdir()) == [], "no folder stays behind"
    assert set(psutil.Process().children(recursive=True)) <= living, "no process stays behind"


def test_an_attack_that_nobody_knows_is_refused_and_the_known_ones_are_listed(run: Run) -> None:
    refused(run("outsider", "dance"), "There is no attack 'dance'; choose from scan, crowd")
    code, out, _ = run("outsider", "--list")
    assert code == 0 and [line.split()[0] for line in out.splitlines()] == list(ATTACKS)
