"""The panel: a running cluster with buttons, as an anywidget.

    panel       the widget, its thread, and what each button stands for
    view        what is shown, folded from the trace
    hold        who keeps the cluster alive
    panel.js    how it is drawn, with panel.css

Read first `panel.py`.
"""
