"""The labs: a folder each, with the small actor around the student's class, and the judges.

    defaults  the network and the timers that a lab begins with
    seeds     the seeds that a page speaks of;  lazily: what a notebook takes from its lab
    facts     what a page says of its lab, made from the declaration;  pages: who writes it into the notebooks
    desk      what a student does with a page: which version is it, take it home, begin again
    prints    what a class prints is shown with its run, and breakpoint() stops in it
    path      labs/README.md: all labs in their order, weeks, reading;  reading: which papers
    lab00/    first steps: a story told to a world, no class and no points, done or not done
    lab01/    links: two classes, and four guarantees of one run side by side (picture)
    lab02/    time: stage (the actor), a judge a file, the picture (past_and_future, beside)
    lab03/    total order: stage (the actor), checks (the judges)
    lab04/    failure detection: the same, and a picture with sliders (trade_off)
    lab05/    Bully election: the same, live, since what a class orders decides what arrives next
    lab06/    fail-over: the same, and a picture of one schedule with the fence and without it
    lab07/    the durable log: no world, but a toy file whose power is cut at every byte (machine, disk)
    lab08/    catch-up: stage (the actor), live judges, and a picture of lag over time with the seam
    lab10/    the quorum: the real chat with two of its rules replaced (stage), and pictures of a cut (picture)

An exercise is found by its number: 3.1 is one of those that `LAB` in lab03/declaration.py declares.

The notebooks stand in labs/source; ARCHITECTURE says how to add one.
"""
