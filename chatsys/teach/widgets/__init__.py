"""What moves in a notebook: the panel, and what ties chatsys to the notebook around it.

Read first `panel`; `notebook` (whose turn it is, which cell runs).
"""
