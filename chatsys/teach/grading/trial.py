"""A trial: one student's class, as a judge asks it.

    trial.cls                  looks like the class: a stage makes objects of it, and calls them (live)
    trial.ask(scripts)         many objects, all calls of each at once (offline, much faster)
    trial.alone(script)        the same in a process in which nothing else has run
    trial.growth(load)         bytes that remain after many calls

The class itself is elsewhere: in a confined process (`isolation.remote`), or, where there are no processes,
in this one.  Judges cannot tell, and need not.

A judge asks *live* where the student's answers feed back into the run, and *offline* where they do not.

Promises  what a class raises in a world stops its own node, as it would at home; what ends its process, or comes
          to no end, ends the trial (`isolation.remote.Gone`), whatever the world would do about an error.
Read also `lab` (Script, Call, Reply), `judging` (who makes trials).
"""
