"""The classroom: a whole class at a time, from the platform where notebooks are handed in and back to its gradebook.

    results      what is kept of a class: `results.json`, its form and how it is written

Read first `results`; `teach.grading.marking` makes one mark.
"""
