"""The words: at most thirty that a student must learn, each explained here once, and the few of the exact sentences.

    WORDS    "quorum": "how many nodes must ..."   --> the tables of the notebooks, the legend of the panel, `hint`s
    EXACT    "position": "a place in the log ..."  --> below an exact sentence, which is the rule's own, for who looks it up

A text that a student meets uses no other word that needs explaining, or explains it on the spot.  Messages have numbers,
#1, #2, ...; a place of the log is told only beside its message's number, or of an entry that has none.

Promises  every word has a plain meaning, in words that are plain English or stand higher up in the table.
Read also `tests/course/test_vocabulary.py`, which holds all texts to it; README's glossary, which has the words of the code.
"""

WORDS: dict[str, str] = {
    # the first page of the tour
    "node": "one member of the cluster: a program with its own memory and its own log file",
    "cluster": "all nodes of one chat together",
    "log": "the file in which a node writes every message before it shows it to anybody",
    "entry": "one line of a log: a message, or a note that the system makes for itself",
    "leader": "the node that gives each message its number, **#1**, **#2**, ...; the others are **followers**",
    "term": "the number of one leadership; each election begins a higher one",
    "heartbeat": 'a short message with which the leader says "I am alive"',
    "frame": "what one program sends to another in one piece; a chat message travels in several frames",
    "quorum": "how many nodes must have an entry in their logs before it counts",
    "committed": "in the logs of a quorum: now it counts, for good",
    "deliver": "to show a message to the users of a node, under its number",
    "trace": "the list of everything that happened; all figures are drawn from it",
    # where the tour first shows them
    "follower": "a node that takes the messages from the leader, under the leader's numbers",
    "election": "how the nodes find a new leader: some of them try, and one wins a new term",
    "suspect": "to believe that a node is down, because nothing is heard of it; that is a guess",
    "nominating": "asking the others whether this node may try to lead",
    "deferring": "letting a higher node try",
    "preparing": "asking the others to promise that they will follow",
    "syncing": "copying what one lacks before one leads",
    "place": "which line of the log an entry is; entries that are no messages take places too",
    "barrier": "the first entry of a new leader's term",
    "session": "the entry with which a new author joins the chat",
    "learner": "one more node that listens and has no vote",
    # the scenarios
    "#3": "message number 3: the place of a message in the one order of the whole cluster",
    "stored": "written to a node's disk, so that a crash cannot take it away",
    "acknowledged": "its author was told `ok`: the message is committed",
    "seed": "the number that decides all chance in a simulated run",
    # what can go wrong
    "promise": "a node's word, stored on its disk, to follow one leader in one term",
    "hold-back queue": "what came too early waits here until what goes before it is there",
    "life": "from a start of a node to its crash or stop; after a restart it lives again",
}
"""What a student learns, in the order in which the pages explain it."""

EXACT: dict[str, str] = {
    "term": WORDS["term"],
    "promise": "in an election a node promises one node, once per term, to follow it and none of a lower term",
    "PROMISE": "the frame with which a node tells another of its promise",
    "PREPARE": "the frame with which a node asks all others for their promises, having given itself its own",
    "position": "a place in the log; barrier and session entries take places too",
    "committed": "a quorum holds it, so it must never change",
    "barrier entry": "the first entry of a term, by which a new leader proves that it holds all that was committed",
    "session entry": "the entry that lets a client in, before its messages",
    "batch": "entries that the leader sends to a node in one frame; one that comes too early is held back",
}
"""What an exact sentence may use, in the order in which it is explained below a shortened run."""
