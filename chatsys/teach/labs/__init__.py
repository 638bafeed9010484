"""The labs: a folder each, with the small actor around the student's class, and the judges.

    lab03/    total order: stage (the actor), checks (the judges)

An exercise is found by its number: 3.1 is one of `QUESTIONS` in lab03/checks.py.

The notebooks stand in labs/source; ARCHITECTURE says how to add one.
"""
