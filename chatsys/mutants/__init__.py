"""The proving ground: bugs that the checkers must find, and schedules in which the protocol lives by one rule.

    bugs/        the protocol with one bug each, MUTANTS
    schedules/   stories told by hand, C1 to Q32: with the bug something breaks, without it nothing does
    searches/    the same bugs, found by trying every order of events
    hunt         random schedules and directed ones, until an invariant names the bug
    stories      each failing run, shrunk, as code that can be pasted
    closed       what of it a student's bundle has not

Evidence is measured by what it finds: a mutant that survives tells of a blind checker, or of two rules that
guard the same thing.

Read also `hunt`, then `bugs`; `chatsys mutants` runs them.
"""
