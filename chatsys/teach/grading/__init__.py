"""Grades: a student's class, or a whole notebook, goes in; points and a story come out.

    lab            what a lab declares: exercises, parts, aspects, points
    points         what each aspect of a check is worth, and how a result says so
    grader         one class, in a notebook: the public part;  playing: what `show` makes of a grade
    predictions    an answer before the run;  revealing: what the run says to it
    judging        one answer, tried part by part;  trial: how a judge asks it
    searching      a judge that tries every order;  replayed: the state of a class is what was asked and answered
    written        tests that students write;  recording: the side of it in the student's process
    keys, seeds    what students do not have

    reading        the file of a notebook;  tidying: what became of its cells is put right;  submission: what is in it
    taking         its cells run and its answers leave it, by value;  cell_process, running: the process in which that
                   happens, from outside and from inside;  exchange: what the two say to each other
    course         what is known before the first notebook is opened;  versions: what a lab asked for when it was handed out
    marking        one notebook's mark;  a class, and nbgrader: `teach.classroom`

It knows no lab by its name: a lab is the folder labs/labNN, found by its number.

Read first `lab`, then `judging`.
"""
