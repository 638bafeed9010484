"""Lab 03, total order: one sequencer gives every message its number, the student's queue decides what is delivered.

    stage     the small actor around the queue
    checks    the questions 3.1 and 3.2, and the story of the run in which the queue failed

Read first `stage`; `protocol.holdback` is the queue of the real chat.
"""
