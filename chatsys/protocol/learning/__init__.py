"""Learners: durable listeners, who are no members.

    records     what a learner keeps on its disk
    chronicle   the disk: its lives, its folder's name, and the messages it holds
    listening   whom it listens to, and when it goes on to another member
    learner     the learner itself, an actor
    table       whom the members have taken in: a function of the committed log
    admission   the part of a member that takes learners in and lets them go

Read `learner` first, then `admission`; SPECIFICATION.md has chapter 19 about them.
"""
