"""The classroom: a whole class at a time, from the platform where notebooks are handed in and back to its gradebook.

    results      what is kept of a class: `results.json`, its form and how it is written
    one_exercise    an exercise that is judged anew for everybody;  forgetting: what is kept of a student is deleted

    signatures   how each mistake of a lab fails;  misconceptions: which one an answer is most like
    hand_marks   what people give, in a file of their own; the one total
    overview     what a report shows, as data;  report: the two pages, of which `templates` has the form

Read first `results`; `teach.grading.marking` makes one mark.
"""
