"""Compiled: the pure rooms as machine code, for whoever plays many schedules; the same runs, sooner.

    modules     which modules, and which are left        building     mypyc and the C compiler, in a folder beside
    rewriting   what is done to a copy before            using        whether this process takes them

What people read and change are the sources, and nothing needs a build: tests, labs and grades run without one.

Read also `using`, which says when a build is not taken; `make fast` makes one, `make clean` removes it.
"""
