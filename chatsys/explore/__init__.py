"""The model checker: every order of events, within stated bounds, of nodes that no world runs.

    models (what is searched) --> explorer (breadth first) --> the shortest story of a violation
                                     |
                 successors, chance, happenings: what may happen next;  untimed: one life without a clock
                 fingerprint, symmetry, tables: when two states are the same;  ledger: what must hold

It needs the protocol and the invariants, and no world: time is left out, so one untimed run stands for
every timed one (`untimed` says why).

Read first `explorer`, then `untimed`, `successors`, `answers`; `chatsys explore` runs it.
"""
