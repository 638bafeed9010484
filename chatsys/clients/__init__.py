"""Clients: what a person uses to talk to a cluster; only input and output around the Client actor.

    line    a plain terminal: one line in, one message; works with pipes

Read also `protocol.client`, the actor that numbers, repeats and rotates.
"""
