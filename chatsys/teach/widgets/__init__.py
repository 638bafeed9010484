"""What moves in a notebook: the panel, the timeline, and what ties chatsys to the notebook around it.

Read first `panel`, a cluster with buttons; `timeline`, a run to scrub; `notebook` (whose turn it is, which cell runs).
"""
