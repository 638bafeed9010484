"""Listening: what those do who are told what is committed, at the other end of `sessions`.

    reading    how far a listener has read, and how it reads again what it no longer has

Read also `client`, who listens.
"""
