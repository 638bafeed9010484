"""The timeline: a run to look at event by event, with every frame as an arrow from sender to receiver.

    Trace --packing--> columns and a table of facts --> the browser draws a window of it, and scrubs
                 |---> still: a picture of a window where no browser is

Read first `packing` (what the browser gets), then `axis` (where an event stands), `flights` (what became of each
frame), `spans` (roles and faults over time), `states` and `moment` (every node at an event), `sentences`, `still`; then
`timeline` (the widget), `source` (its half in the browser, in `js`) and `answers` (why something did not come).  Of two
runs: `differences` (what both have), `overlay` (both as one), `comparing` (who shows them).
"""
