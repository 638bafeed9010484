"""The evidence that takes hours, what it shows, and the page that tells it.

    kinds       what is gathered: commands, what each kind shows and what it leaves open
    gathering   pieces, one after another, that go on tomorrow; one line for each that is finished
    code        of which code a piece is evidence
    page        EVIDENCE.md and the table in the README, made from the lines

Read also EVIDENCE.md beside this file; `commands.prove`, which starts it.
"""
