"""Right answers of lab 06, each written differently: none of them may lose a point."""

from chatsys.teach.labs.lab06 import Numbered


class MyFailOver:
    """The reference."""

    def __init__(self, me):
        self.newest = 0
        self.entries = {}

    def admits(self, kind, term, sender):
        if term < self.newest:
            return False
        self.newest = term
        return True

    def lead(self, term, answers):
        self.newest = term
        self.entries, again = {}, []
        for held in answers.values():
            for one in held:
                if one.number not in self.entries or self.entries[one.number].term < one.term:
                    self.entries[one.number] = one
        for number in range(1, max(self.entries, default=0) + 1):
            one = self.entries.get(number, Numbered(term, number, "", 0, None))
            if not all(one in held for held in answers.values()):
                one = Numbered(term, number, one.author, one.post, one.text)
                again.append(one)
            self.entries[number] = one
        return again

    def order(self, author, post, text):
        for one in self.entries.values():
            if (one.author, one.post) == (author, post):
                return one
        one = Numbered(self.newest, len(self.entries) + 1, author, post, text)
        self.entries[one.number] = one
        return one


ANSWERS = {"6.1": {"reference": MyFailOver}}
