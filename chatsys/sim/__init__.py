"""The imaginary world: a cluster in virtual time, from one seed, with any fault at any moment.

    world       World: what each verb means here              replay       a saved world, played again
    simulation  the heap and the time, the road of a frame    hold         frames that wait to be let go
    host        one address, over all its lives               interpreter  how effects are carried out
    network     delay, loss, order, cuts                      recorder     how they are told in the trace
    disk        sync, and what a crash takes                  turns        what waits, and how it is served together
    chance      what the dice decided, by what it was about   again        a run without some of its steps

It mirrors `chatsys.runtime`, the real world; the two do not know each other.
"""
