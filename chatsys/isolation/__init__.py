"""Somebody else's code, bounded: in a process of its own where there are processes, under a deadline where not.

    pickling       classes of a notebook travel by value, and keep the names of their files
    worker         one task at a time in another process: bounded in time, memory and bytes of output
    serving        the other end: what that process does
    in_process     the same answers in this process, for a Python that can start none
    answer         the bounds of a task, and what became of it; which clock accuses, and which one only ends
    deadline       a loop that never ends is ended; beginning, drain: what the others are made of
    attribution    which line is whose: an error is told with the line that its writer can change

It is no sandbox: whoever runs strangers' code should do that in a container.

Read first `worker`; `campaign` and `teach.grading` use it.
"""
