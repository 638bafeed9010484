"""The classroom: a whole class at a time, from what it is given to what goes into a gradebook.

    release, leaks          what students get, and that no answer is in it;  bundle/: its README and Makefile
    layouts, handed         what platforms give, and whose each notebook is;  inbox: one for each student;  unpacking: zips
    batch                   a class is graded, stopped, graded on;  regrading: why a mark changed;  jobs: several at a time
    cluster                 the same on many machines
    results                 what is kept of a class: `results.json`, its form and how it is written
    gradebooks              tables for the imports of Moodle and Canvas;  nbgrader_judge: the marks in the gradebook of nbgrader
    gradescope              its form of a mark;  autograder: its zip;  on_gradescope: what runs there
    one_exercise            an exercise is judged anew for everybody;  forgetting: what is kept of a student is deleted

    signatures              how each mistake of a lab fails;  misconceptions: which one an answer is most like
    hand_marks              what people give, in a file of their own; the one total
    overview                what a report shows, as data;  report: its two pages;  templates/: their form

Read first `results`, then `batch`; `teach.grading.marking` makes one mark.
"""
