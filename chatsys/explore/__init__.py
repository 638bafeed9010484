"""The model checker: every order of events, within stated bounds, of the very nodes that run elsewhere.

    models (what is searched) --> explorer (breadth first) --> the shortest story of a violation
                                     |
                 successors, chance, happenings: what may happen next;  untimed: one life without a clock
                 structures, fingerprint, symmetry, tables: when two states are the same;  ledger: what must hold
                 claims, asking, variants, missing: what need not be remembered, and that the node was asked about it

It is a world of its own: it opens the doors of nodes, but time is left out, so one untimed run stands
for every timed one (`untimed` says why).  It needs the protocol and the invariants, and no other world.

`stage_model` makes a model of any small actor in a few words; a lab searches with it.
Read first `explorer`, then `untimed`, `successors`, `asking`, `answers`; `chatsys explore` runs it.
"""
