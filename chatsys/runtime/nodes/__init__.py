"""Where a node of a cluster lives: in this process (`kernel`), or in one of its own (`process`, `child`, `control`).

Read first `kernel`, then `process`.
"""
