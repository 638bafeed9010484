"""Serving: what a member and a learner do alike for those who speak and listen.

forwarding    whom to answer for what was passed on
subscribers   who listens, and what each may be sent
"""
