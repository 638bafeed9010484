"""Soaks: real clusters under real faults for minutes, judged like simulated ones.

    drawn       which faults, and who applies them         storm      kill -9 after kill -9, in their place
    soak        one soak, from its first leader to its report         outages    how long nobody was served

Read also `campaign.below` (processes that are watched from outside), `campaign.one_seed` (the same in virtual time).
"""
