"""The labs: a folder each, with the small actor around the student's class, and the judges.

    lab03/    total order: stage (the actor), checks (the judges)

The notebooks stand in labs/source; ARCHITECTURE says how to add one.
"""
