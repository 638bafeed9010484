"""The panel: a running cluster with buttons, as an anywidget.

    panel       the widget, its thread, and how it carries out an order
    orders      what each button stands for, as a line of code
    view        what is shown, folded from the trace
    chats       what each user sees, and which messages are on their way
    lamp        whether the rules hold, judged a little at each look
    inside      the timeline of a simulated world, and what a step shows in it
    anew        another cluster of the same kind, with another quorum
    hold        who keeps the cluster alive
    dock        the panel beside the page
    js          how it is drawn, with panel.css

Read first `panel.py`.
"""
