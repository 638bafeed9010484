"""Reading: what to read beside each lab, the paper and the part of it, in the order in which it helps.

A part is named by its number where that stays the same in all versions of a paper, else by what it is about.

Read also `path` (who writes it into labs/README.md).
"""

import msgspec


class PaperPart(msgspec.Struct, frozen=True):
    """One text, and what of it belongs to a lab."""

    text: str
    """Who, what, where, when."""
    part: str
    why: str
    """What to look for in it, a phrase."""


RAFT = 'Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014 (the extended version)'
LAMPORT = 'Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 21(7), 1978'
VR = 'Liskov and Cowling, "Viewstamped Replication Revisited", MIT-CSAIL-TR-2012-021, 2012'
FLP = 'Fischer, Lynch and Paterson, "Impossibility of Distributed Consensus with One Faulty Process", JACM 32(2), 1985'

READING: dict[str, tuple[PaperPart, ...]] = {
    "00": (
        PaperPart(
            'Waldo, Wyant, Wollrath and Kendall, "A Note on Distributed Computing", Sun Microsystems TR-94-29, 1994',
            "the part on partial failure and concurrency",
            "why one node that is gone is not the same as a program that stops",
        ),
    ),
    "01": (
        PaperPart(
            'Saltzer, Reed and Clark, "End-to-End Arguments in System Design", ACM TOCS 2(4), 1984',
            "delivery guarantees, duplicate message suppression",
            "why the ends must repeat and remember, whatever the link promises",
        ),
        PaperPart(
            'Fekete, Lynch, Mansour and Spinelli, "The Impossibility of Implementing Reliable Communication in the Face of '
            'Crashes", JACM 40(5), 1993',
            "the introduction",
            "what a receiver that crashes and forgets cannot do, the question of part (g)",
        ),
    ),
    "02": (
        PaperPart(
            LAMPORT, "The Partial Ordering; Logical Clocks", "the definition of “happened before”, which the judge uses"
        ),
        PaperPart(
            'Mattern, "Virtual Time and Global States of Distributed Systems", in Parallel and Distributed Algorithms, 1989',
            "vector time",
            "why a vector tells concurrency and a number does not",
        ),
        PaperPart(
            'Chandy and Lamport, "Distributed Snapshots: Determining Global States of Distributed Systems", ACM TOCS 3(1), 1985',
            "the introduction and the model",
            "what a consistent cut is",
        ),
    ),
    "03": (
        PaperPart(LAMPORT, "Ordering the Events Totally", "one order for all, without a clock that all share"),
        PaperPart(
            'Défago, Schiper and Urbán, "Total Order Broadcast and Multicast Algorithms: Taxonomy and Survey", ACM Computing '
            "Surveys 36(4), 2004",
            "the class of fixed sequencers",
            "your sequencer among its relatives",
        ),
    ),
    "04": (
        PaperPart(
            'Chandra and Toueg, "Unreliable Failure Detectors for Reliable Distributed Systems", JACM 43(2), 1996',
            "completeness and accuracy (section 2)",
            "the two words of the lab, and why one has to choose",
        ),
        PaperPart(
            'Hayashibara, Défago, Yared and Katayama, "The φ Accrual Failure Detector", SRDS 2004',
            "the idea and its parameters",
            "a timeout that learns, as in 4.2",
        ),
    ),
    "05": (
        PaperPart(
            'Garcia-Molina, "Elections in a Distributed Computing System", IEEE Transactions on Computers C-31(1), 1982',
            "the Bully algorithm, and the assumptions before it",
            "which of the assumptions about time a real network breaks",
        ),
        PaperPart(RAFT, "section 5.2", "terms, and an election that needs a majority"),
    ),
    "06": (
        PaperPart(VR, "section 4.2 (view changes)", "what the new leader collects before it says a word"),
        PaperPart(
            'Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache Consistency", SOSP 1989',
            "the idea of a lease",
            "the other way to make an old leader harmless, and what it assumes about clocks",
        ),
    ),
    "07": (
        PaperPart(
            'Pillai and others, "All File Systems Are Not Created Equal: On the Complexity of Crafting Crash-Consistent '
            'Applications" (ALICE), OSDI 2014',
            "persistence properties; the vulnerabilities that were found",
            "what a disk may do between two syncs, and who relied on less",
        ),
        PaperPart(
            'Rebello and others, "Can Applications Recover from fsync Failures?", USENIX ATC 2020',
            "what file systems do after a sync that fails",
            "why the log takes nothing more after one",
        ),
    ),
    "08": (
        PaperPart(
            VR, "sections 4.3 and 5.2 (recovery, state transfer)", "how a node that was away gets what it missed"
        ),
        PaperPart(RAFT, "section 7 (log compaction)", "what one sends to a node that missed ten million messages"),
    ),
    "09": (
        PaperPart(
            'Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN 2002',
            "the suspicion mechanism",
            "how a node that lives refutes a rumour of its death",
        ),
        PaperPart(
            'Demers and others, "Epidemic Algorithms for Replicated Database Maintenance", PODC 1987',
            "rumour mongering",
            "why a rumour reaches all in about log n rounds",
        ),
        PaperPart(RAFT, "section 6 (cluster membership changes)", "a membership that is itself in the log"),
    ),
    "10": (
        PaperPart(RAFT, "section 5.4, and figure 8", "why an entry of an old term is not committed by counting"),
        PaperPart(FLP, "the introduction and theorem 1", "what no algorithm can promise without a bound on time"),
        PaperPart(
            "Gilbert and Lynch, \"Brewer's Conjecture and the Feasibility of Consistent, Available, Partition-Tolerant Web "
            'Services", ACM SIGACT News 33(2), 2002',
            "theorem 1",
            "what CAP says exactly, and of which kind of network",
        ),
        PaperPart(
            'Herlihy and Wing, "Linearizability: A Correctness Condition for Concurrent Objects", ACM TOPLAS 12(3), 1990',
            "the definition",
            "what an `ok` promises to whoever reads next",
        ),
    ),
    "11": (
        PaperPart(
            'Alvaro, Rosen and Hellerstein, "Lineage-driven Fault Injection", SIGMOD 2015',
            "the introduction and the example",
            "looking for the fault that matters, instead of for luck",
        ),
        PaperPart(
            'Yuan and others, "Simple Testing Can Prevent Most Critical Failures", OSDI 2014',
            "the findings",
            "how few nodes and how few events a real failure takes",
        ),
        PaperPart(
            'Alpern and Schneider, "Defining Liveness", Information Processing Letters 21(4), 1985',
            "all of it, five pages",
            "which invariants a run that ends can break",
        ),
    ),
    "12": (
        PaperPart(
            'Beyer, Jones, Petoff and Murphy (editors), "Site Reliability Engineering", O\'Reilly 2016',
            "the chapter on cascading failures",
            "what fifty clients do that all come back at once",
        ),
    ),
}
"""For each lab, by its number."""
