"""A run of deliveries: what is told of many entries at once compares and counts as what is told of each."""

from chatsys.actor.effects import Append, Deliver, Delivery
from chatsys.protocol.messages import Entry
from chatsys.protocol.public import public
from chatsys.protocol.serving.delivery_run import DeliveryRun


def test_a_run_compares_and_counts_as_its_deliveries_do() -> None:
    said = [Entry(seq, 2, "chat", "c", seq - 4, "main", "ann", f"{seq}", session=4) for seq in (5, 6, 8)]
    run = DeliveryRun(said, 31)
    plain = tuple(
        Delivery(one.seq, 29 + at, "ann", one.text, "main", 2, public("c"), one.client_seq)
        for at, one in enumerate(said)
    )
    assert Deliver.made(run) == Deliver(*plain) and Deliver(*plain) == Deliver.made(run)
    assert hash(Deliver.made(run)) == hash(Deliver(*plain)) and repr(run) == repr(plain)
    assert (run[0], run[-1], run[-2:], tuple(run), len(run)) == (plain[0], plain[2], plain[1:], plain, 3)
    assert (
        run != plain[:2]
        and Deliver.made(DeliveryRun(said, 30)) != Deliver(*plain)
        and Deliver(*plain) != Append(*plain)
    )
