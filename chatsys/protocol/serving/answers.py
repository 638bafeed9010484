"""Answers: those who wait for messages that are delivered together are told in runs.

    delivered in one go   ann 4, ann 5, bob 9, ann 6   -->   ann: ok, 2 messages from 4 on
                                                             bob: ok, 9
                                                             ann: ok, 6

A client with many messages under way would be told of each in a frame of its own, and these frames would cost the
leader more than the messages did.  So what follows on in the session, in the log and in the chat is told in one, as
one ACK speaks for all that a batch brought.

Promises  everybody is told of each message for which it waits, once, in the order of the log.
Read also `sessions` (who delivers), `messages.SubmitReply` (what a run says), `client` (who takes it apart).
"""

from collections.abc import Iterable

from chatsys.actor.actor import Address
from chatsys.actor.effects import Send
from chatsys.protocol.messages import Entry, SubmitReply


class AnswerRun:
    """`ok` to whoever is at `link`, for the entry `first` and those that follow on it; `msg_no` is the first one's."""

    __slots__ = ("count", "first", "link", "msg_no")

    def __init__(self, link: Address, first: Entry, msg_no: int) -> None:
        self.link, self.first, self.msg_no = link, first, msg_no
        self.count = 1

    def goes_on(self, entry: Entry, msg_no: int) -> bool:
        """Tell whether this entry of the session is the next one: in the session, in the log and in the chat."""
        first, count = self.first, self.count
        return (
            first.client_seq > 0  # an opening is no message
            and entry.client_seq == first.client_seq + count
            and entry.seq == first.seq + count
            and msg_no == self.msg_no + count
        )

    def sent(self) -> Send:
        """Return the frame."""
        first = self.first
        run = SubmitReply(first.client_id, first.client_seq, "ok", seq=first.seq, msg_no=self.msg_no, count=self.count)
        return Send(self.link, run)


def answers(delivered: Iterable[tuple[Address, Entry, int]]) -> list[Send]:
    """Return what those are told who wait, each with an entry and its message number (0: it opens a session)."""
    all_of_them: list[AnswerRun] = []
    newest: dict[tuple[Address, str], AnswerRun] = {}
    for link, entry, msg_no in delivered:
        answer = newest.get((link, entry.client_id))
        if answer is not None and answer.goes_on(entry, msg_no):
            answer.count += 1
            continue
        answer = newest[link, entry.client_id] = AnswerRun(link, entry, msg_no)
        all_of_them.append(answer)
    return [answer.sent() for answer in all_of_them]
