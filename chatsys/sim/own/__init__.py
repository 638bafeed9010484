"""Somebody's own classes: read from files, played in guarded processes, and asked whether their runs can be repeated."""
