"""Compiled: the pure rooms as machine code, for whoever plays many schedules; the same runs, sooner.

    modules     which modules, and which are left        building     mypyc and the C compiler, in a folder beside
    rewriting   what is done to a copy before            using        whether this process takes them

What people read and change are the sources, and nothing needs a build: tests, labs and grades run without one.

    make fast
    export CHATSYS_COMPILED=$PWD/.fast
    chatsys simulate --seeds 0:300         1.5 times as many schedules in the same time

Classes of one's own inherit from compiled ones as from others, and every bug of `mutants` is found on a build, too.
What does not work on it: to put another function into a class (`Node.on_time = ...`), which compiled methods do not see;
to step into compiled methods with a debugger; a door that returns no list is refused with less to say
(`list object expected; got None`); and a search of every order of events and a grade, which say so.
Notebooks and classes from a file take the sources, and say so, too.

Read also `using`, which says when a build is not taken; `make fast` makes one, `make clean` removes it.
"""
