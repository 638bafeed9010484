"""Where a node of a cluster lives: in this process (`kernel`), or behind two pipes (`process`, `child`, `control`).

What is behind the pipes is its `body`: a process of its own, or a `container`.  `folder` is what lies in it.

Read first `kernel`, then `process`.
"""
