"""The command that lets an outsider loose on three real nodes: outsider.

Read also `chatsys.campaign.outsider`.
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from chatsys.commands import HELD, INCONCLUSIVE, VIOLATED, AsJson, hint, leave, print_json, print_row


def outsider(
    attacks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ATTACK]...", help="Which to try; all: all at once.", show_default="every one, then all"
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, max=3600, help="How long each takes.", show_default="15; frames 60, all 120"),
    ] = None,
    rate: Annotated[float, typer.Option(min=1, max=500, help="What the honest client says, messages a second.")] = 50.0,
    calm: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds of calm before and after each.")] = 3.0,
    seed: Annotated[int, typer.Option(min=0, help="Draws other rubbish.")] = 1,
    names: Annotated[bool, typer.Option("--list", help="Tell what each attack does, and end.")] = False,
    code: Annotated[Path | None, typer.Option(hidden=True, help="The nodes run the code of this folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Attack three real nodes as somebody on the port can, while an honest client talks.

    The outsider knows what a node tells any client, and has no secret. No node may end, nothing
    acknowledged may be lost, no message may end indeterminate, memory and descriptors stay bounded,
    and each node serves again within 10 s. A line for each attack: the honest client's waits, what
    the nodes used at most, and what did not hold.

    Examples:

        chatsys outsider --seconds 5
        chatsys outsider frames theft --json
    """
    from chatsys.campaign import outsider as campaign

    if names:
        for name in campaign.ATTACKS:
            print(f"{name:10} {campaign.about(name)}")
        return
    circumstances = campaign.Circumstances(rate=rate, calm=calm, seed=seed, code=code)
    tried = campaign.chosen(attacks or ())
    hint("Three nodes and an honest client for each attack; Ctrl-C ends it, and leaves nothing behind.")
    told = []
    for one in campaign.outsider(tried, seconds, circumstances):
        told.append(one)
        if not as_json:
            print_row(row(one))
    bad, unsure = any(one.findings for one in told), any(one.doubts for one in told)
    if as_json:
        print_json(
            {
                "ok": not bad and not unsure,
                "findings": [f"{one.attack}: {sentence}" for one in told for sentence in one.findings],
                "inconclusive": [f"{one.attack}: {sentence}" for one in told for sentence in one.doubts],
                "attacks": msgspec.to_builtins(told),
            }
        )
    elif not bad and not unsure:
        print("held: no node ended, nothing acknowledged was lost, and every node served again")
    leave(VIOLATED if bad else INCONCLUSIVE if unsure else HELD)


def row(one: Any) -> str:
    """Return what is told of one attack: a line, and one more for whatever did not hold."""
    waits = "  ".join(
        f"{name} {_ms(served.p50)}/{_ms(served.p99)}/{_ms(served.gap)}" for name, served in one.serving.items()
    )
    healed = "not healed" if one.healed is None else f"healed {one.healed:.1f} s"
    memory, files = ("-".join(f"{value:.0f}" for value in values) for values in (one.memory, one.descriptors))
    verdict = "VIOLATED" if one.findings else "INCONCLUSIVE" if one.doubts else "held"
    first = (
        f"{one.attack:11} {verdict:8}  p50/p99/gap ms: {waits}  {healed}  {memory} MB  {files} files  "
        f"{one.acknowledged} of {one.said} acknowledged  ({_count(one, 'connections')}, {_count(one, 'lines')})"
    )
    return "\n".join([first, *(f"    {sentence}" for sentence in (*one.findings, *one.doubts))])


def _count(one: Any, what: str) -> str:
    return f"{sum(visitor.get(what, 0) for visitor in one.visitors)} {what}"


def _ms(seconds: float) -> str:
    return "never" if seconds == float("inf") else f"{1000 * seconds:.0f}"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(outsider)
