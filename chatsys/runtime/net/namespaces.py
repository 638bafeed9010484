"""Namespaces: each node on a small network of its own, where real rules of the kernel cut the wires.

    this process --cable--.      namespace "switch"       .--cable-- namespace "node1": its process
                          `---- a bridge, nft rules ------+--cable-- namespace "node2": its process

A partition drops packets in the middle: TCP repeats them, waits longer each time, notices late or
never, exactly as between two machines.  Delay is left to the transports: many kernels have no netem.

Assumes   Linux, root, and the programs `ip` and `nft`.
Promises  all names carry this process's id; everything goes with `free`, with this object, or with
          the interpreter; what a killed process left is removed by the next one to come along.
Read also `ports` (the same questions, answered by 127.0.0.1), `rules` (what cut and lose mean).
"""

import ipaddress
import itertools
import os
import re
import shutil
import subprocess
import sys
import weakref
from collections.abc import Iterable

from chatsys.actor.actor import Address
from chatsys.errors import NotHere
from chatsys.runtime.net.rules import ANY, Lossy, Rule, RuleSet
from chatsys.surroundings import reason

TOOLS = {"ip": "iproute2", "nft": "nftables"}
"""Programs, and the Debian packages that bring them."""
PORT = 5000
MOST = 13
"""So many nodes fit into one network, beside this process."""
PARTS = 10_000
"""Loss is drawn in ten-thousandths."""
INSTEAD = "or do without namespaces."
NETWORKS, SIZE = ipaddress.IPv4Network("10.231.0.0/16"), 28
"""Each cluster takes one network of 2 ** (32 - SIZE) addresses out of this private range."""
_OURS = re.compile(r"^chatsys-(\d+)-\d+-\w+")
_count = itertools.count(1)


def obstacle() -> str:
    """Say in a sentence why there can be no namespaces here, as far as one can see without trying, or ""."""
    if sys.platform != "linux":
        return f"Network namespaces need Linux; use a Linux machine, {INSTEAD}"
    if os.geteuid() != 0:
        return f"Network namespaces need root; run this as root, {INSTEAD}"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        packages = " ".join(TOOLS[tool] for tool in missing)
        return f"Network namespaces need {' and '.join(missing)}; apt install {packages}, {INSTEAD}"
    return ""


class Namespaces:
    """A namespace for each node, one for the switch between them, and the addresses."""

    def __init__(self, nodes: Iterable[int]) -> None:
        """Make everything.  Raises `NotHere` with a sentence where that is impossible."""
        if why := obstacle():
            raise NotHere(why)
        ids = list(nodes)
        if len(ids) > MOST:
            raise NotHere(f"There are {len(ids)} nodes; at most {MOST} fit into namespaces, {INSTEAD}")
        reap()
        number = next(_count)
        self.switch = f"chatsys-{os.getpid()}-{number}-switch"
        self.names = {node: f"chatsys-{os.getpid()}-{number}-node{node}" for node in ids}
        self.cable = _cable(self.switch)
        """The only thing outside of the namespaces: this process's own way to the switch."""
        self._made = [*self.names.values(), self.switch]
        self._finish = weakref.finalize(self, _remove, self._made)
        try:
            *self._free, mine = map(str, _free_network().hosts())
            self.hosts = {node: self._free.pop(0) for node in ids}
            self.members = {node: f"{host}:{PORT}" for node, host in self.hosts.items()}
            self._build(mine)
            self.lay(RuleSet((), (Rule(ANY, ANY, Lossy(0.5)),)))  # a kernel that cannot do this says so now
            self.lay(RuleSet())
        except BaseException:
            self.free()
            raise

    def _build(self, mine: str) -> None:
        _run("ip -batch -", "".join(f"netns add {name}\n" for name in (self.switch, *self.names.values())))
        cables = [f"link add host type veth peer name {self.cable} netns {os.getpid()}"]
        cables += [f"link add node{node} type veth peer name eth0 netns {name}" for node, name in self.names.items()]
        ports = [f"link set {end} master bridge up" for end in ("host", *(f"node{node}" for node in self.names))]
        lines = ["link add bridge type bridge", "link set bridge up", *cables, *ports]
        _run(f"ip -n {self.switch} -batch -", "\n".join(lines))
        for node, name in self.names.items():
            _run(f"ip -n {name} -batch -", _plug("eth0", self.hosts[node]) + "link set lo up\n")
        _run("ip -batch -", _plug(self.cable, mine))

    def add(self, node: int) -> str:
        """Give one more node a namespace and an address.  Raises `NotHere` with a sentence."""
        if node not in self.names:
            if not self._free:
                raise NotHere(f"There are {len(self.names)} nodes; at most {MOST} fit into namespaces, {INSTEAD}")
            name = self.switch.removesuffix("switch") + f"node{node}"
            self._made.insert(0, name)
            self.names[node], self.hosts[node] = name, self._free.pop(0)
            _run("ip -batch -", f"netns add {name}\n")
            cable = f"link add node{node} type veth peer name eth0 netns {name}\nlink set node{node} master bridge up\n"
            _run(f"ip -n {self.switch} -batch -", cable)
            _run(f"ip -n {name} -batch -", _plug("eth0", self.hosts[node]) + "link set lo up\n")
        return f"{self.hosts[node]}:{PORT}"

    def launch(self, node: int) -> tuple[str, ...]:
        """Return the words before the command that starts this node's process."""
        return ("ip", "netns", "exec", self.names[node])

    def lay(self, rules: RuleSet) -> RuleSet:
        """Let the kernel drop what `rules` drop, all at once; return the rest, for the transports."""
        ours = [rule for rule in rules.rules if isinstance(rule.impairment, Lossy) and self._know(rule)]
        drops = [f"{self._where(a, b)} counter name dropped drop" for a, b in rules.cuts]
        for rule in reversed(ours):  # the latest that fits holds: the first here
            assert isinstance(rule.impairment, Lossy)
            where, often = self._where(rule.sender, rule.receiver), round(rule.impairment.fraction * PARTS)
            drops += [f"{where} numgen random mod {PARTS} < {often} counter name dropped drop", f"{where} accept"]
        _run(
            f"ip netns exec {self.switch} nft -f -",
            "table bridge chatsys {\n counter dropped {}\n"
            " chain forward { type filter hook forward priority 0; }\n}\n"
            "flush chain bridge chatsys forward\n"
            + "".join(f"add rule bridge chatsys forward {drop}\n" for drop in drops),
        )
        return RuleSet((), tuple(rule for rule in rules.rules if rule not in ours))

    def _know(self, rule: Rule) -> bool:
        return all(end == ANY or end in self.hosts for end in (rule.sender, rule.receiver))

    def _where(self, sender: Address, receiver: Address) -> str:
        """Return what nft calls the packets from `sender` to `receiver`."""
        source = "" if sender == ANY else f" ip saddr {self.hosts[int(sender)]}"
        target = "" if receiver == ANY else f" ip daddr {self.hosts[int(receiver)]}"
        return f"ether type ip{source}{target}"

    @property
    def dropped(self) -> int:
        """So many packets the rules have dropped until now."""
        told = _run(f"ip netns exec {self.switch} nft list counter bridge chatsys dropped")
        found = re.search(r"packets (\d+)", told)
        return int(found[1]) if found else 0

    def free(self) -> None:
        """Remove everything; again is harmless."""
        self._finish()


def reap() -> None:
    """Remove the namespaces of processes that are no more."""
    names = [line.split()[0] for line in _run("ip netns list").splitlines() if _OURS.match(line)]
    _remove([name for name in names if not _lives(int(name.split("-")[1]))])


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _free_network() -> ipaddress.IPv4Network:
    """Return a network that nobody here uses; each process begins to look at a place of its own."""
    places = list(NETWORKS.subnets(new_prefix=SIZE))
    for step in range(64):
        network = places[(os.getpid() + step) % len(places)]
        if not _run(f"ip -4 route show root {network}").strip():
            return network
    raise NotHere(f"The addresses {NETWORKS} are in use here; stop what uses them, {INSTEAD}")


def _cable(switch: str) -> str:
    _, pid, number, _ = switch.split("-")
    return f"cs{pid}.{number}"


def _plug(device: str, host: str) -> str:
    return f"addr add {host}/{SIZE} dev {device}\nlink set {device} up\n"


def _run(command: str, lines: str = "") -> str:
    """Run `ip` or `nft` (out of reach of the terminal's Ctrl-C) and return what it says."""
    try:
        done = subprocess.run(command.split(), input=lines, capture_output=True, text=True, process_group=0)
    except OSError as error:
        raise NotHere(f"This system does not run `{command}` ({reason(error)}); allow it, {INSTEAD}") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[0]
        raise NotHere(f"This system refuses `{command}` ({said}); allow it, {INSTEAD}")
    return done.stdout


def _remove(names: list[str]) -> None:
    """Remove these namespaces and what is in them; one that is gone already is passed over."""
    for name in names:
        gone = [["ip", "netns", "del", name]]
        if name.endswith("-switch"):
            gone.insert(0, ["ip", "link", "del", _cable(name)])
        for command in gone:
            subprocess.run(command, capture_output=True, process_group=0)
