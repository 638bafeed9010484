"""The screen client: a chat that fills a terminal, for people who want to see what happens to what they say.

      room main · you are ann           talks to node 1 · node 3 leads · nodes 1 2 3
      #41 bob: is 3 still the leader?
      #42 ann: for a moment longer                                    ✓ acknowledged
          ann: and now?                                                    … pending
      ── trying again: no leader is known here; an election may be under way ────────
      ann> |

Four pages that know no terminal, and a thin one that does:

    window    the stretch of the chat that is kept, without a gap, of a bounded size
    chat      what is known: the window, own messages and what became of them, nodes; what a person enters
    layout    a message as lines of so many cells
    view      which lines are visible, and scrolling; pages are asked for before one needs them
    app       textual, with `pieces`: keys, colours, the clock; it hands records in and orders out

The network is the same `ClientHost` and the same actor as for the line client.  Only `app` imports textual, and
only `clients.opening` imports `app`, when a terminal is there.

Assumes   a terminal that shows UTF-8; neither a mouse nor colours.
Promises  messages are shown in the order of their numbers, none twice and none left out between two that are shown;
          every state is a sign and a word; what others wrote is shown and never obeyed; memory is bounded.
Read also `protocol.listening.reading` (how a page of the past is read), `clients.line` (the client for pipes).
"""
