"""Somebody else's code, bounded: in a process of its own where there are processes, under a deadline where not.

    pickling       classes of a notebook travel by value, and keep the names of their files
    worker         one task at a time in another process: bounded in time, memory and bytes of output
    serving        the other end: what that process does
    in_process     the same answers in this process, for a Python that can start none
    answer         the bounds of a task, and what became of it; which clock accuses, and which one only ends
    deadline       a loop that never ends is ended; beginning, drain: what the others are made of
    attribution    which line is whose: an error is told with the line that its writer can change

A worker is no sandbox: what it runs may read, write and begin what you may.  For the code of others, whose result
counts, there is a process that lets go of all it does not need, and can only answer:

    remote             a class in such a process, asked live or by scripts; what `calls` are
    confined_process   begun, asked, watched from outside: limits, operations, remote_object are its parts
    fork_server        of which such processes are copies, because a new Python takes eight times the CPU
    budget             the seconds of CPU that a whole notebook may take: its cells, its answers, the judge
    answering          what that process does; interface, borrowed, declared: how it looks at the class and its values
    confinement        files, network, processes, signals, limits: what it lets go of; system_calls is the filter

Read first `worker`, then `remote`; `campaign` and `teach.grading` use them.
"""
