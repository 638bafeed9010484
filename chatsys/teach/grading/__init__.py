"""Grades: a student's class, or a whole notebook, goes in; points and a story come out.

    grader        one class, tried in a process of its own
    questions     what a question is made of
    marking       whole notebooks; cell_output: what their cells print, within bounds

It knows no lab by its name: a lab is the folder labs/labNN, found by its number.

Read first `grader`.
"""
