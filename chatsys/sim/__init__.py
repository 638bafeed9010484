"""The imaginary world: a cluster in virtual time, from one seed, with any fault at any moment.

    world     World: nodes, clients, what one may ask       verbs    what people can do to it
    events    the heap and the time                         gate     frames that wait to be let go
    host      one address and its lives                     hands    how effects are carried out
    network   delay, loss, order, cuts                      disk     sync, what a crash takes
    sweep     many seeds, each judged                       shrink   the few steps that make a run fail
    case      one failing run as a value                    simpler  what may make it easier to read
    overdue   what should have happened by now              shrunk   the short run, told to people
    tally     what many schedules show together             resume   a long sweep in pieces
    again     a saved world, played again                   own/     classes of somebody's own, guarded
    explore   every order of events, up to a depth          models   what is searched; search/ how

It mirrors `chatsys.runtime`, the real world; the two do not know each other.
"""
