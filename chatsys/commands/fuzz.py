"""The command that feeds rubbish to everything that reads: fuzz.

Read also `chatsys.campaign.fuzz`.
"""

from typing import Annotated, Any

import typer

from chatsys.commands import HELD, VIOLATED, AsJson, leave, print_json, progress


def fuzz(
    frames: Annotated[int, typer.Option(min=0, max=100_000_000, help="Made-up frames.")] = 200_000,
    logs: Annotated[int, typer.Option(min=0, max=100_000_000, help="Harmed log files.")] = 20_000,
    connections: Annotated[int, typer.Option(min=0, max=1_000_000, help="Rude connections.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Draws other rubbish.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Feed random bytes, forged frames and harmed log files to connections, nodes and recovery; crowd a port.

    Nothing may be raised, hang or keep memory. A safe node may stop itself when a forged frame
    claims what cannot be, and a log may be refused with a sentence: both are counted.

    Examples:

        chatsys fuzz
        chatsys fuzz --frames 20000 --logs 2000 --connections 500 --seed 7 --json
    """
    from chatsys.campaign.fuzz import fuzz as run

    with progress(frames + logs + connections, "frames, logs and connections") as step:
        result = run(frames, logs, connections, seed=seed, step=step)
    if as_json:
        print_json(result)
    else:
        _tell(result)
    leave(VIOLATED if result["findings"] else HELD)


def _tell(result: dict[str, Any]) -> None:
    spent = result["seconds"]
    frame_time, log_time = spent["links"] + spent["nodes"], spent["logs"]
    print(
        f"{result['frames']} frames in {frame_time:.1f} s ({_rate(result['frames'], frame_time)}): nodes stopped "
        f"themselves {result['nodes_stopped_themselves']} times, because a frame claimed what cannot be\n"
        f"{result['logs']} logs in {log_time:.1f} s ({_rate(result['logs'], log_time)}): {result['logs_refused']} refused "
        f"with a sentence, {result['logs_usable']} usable\n"
        f"{result['connections']} connections in {spent['crowds']:.1f} s ({_rate(result['connections'], spent['crowds'])}), "
        "closed, reset, half-open and silent at every moment\n"
        f"slowest step {result['slowest_step']:.3f} s, memory kept {result['memory_kept_mb']:.0f} MB"
    )
    for one in result["findings"]:
        print(f"\nFOUND {one['count']} times: {one['finding']}")
    if not result["findings"]:
        print("held: nothing was raised, hung or grew")


def _rate(count: int, seconds: float) -> str:
    return f"{count / seconds:.0f} a second" if seconds else "none"


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command(rich_help_panel="Proofs and measurements")(fuzz)
