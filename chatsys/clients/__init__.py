"""Clients: what a person uses to talk to a cluster; only input and output around the Client actor.

    opening   which of the two a person gets
    screen    fills a terminal: what became of each message, who leads, the whole chat by pages
    line      a plain terminal: one line in, one message; works with pipes

Read also `protocol.client`, the actor that numbers, repeats and rotates.
"""
