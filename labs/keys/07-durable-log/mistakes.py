"""Wrong answers of lab 07: each is a misconception, with what it loses and the sentence that its writer reads."""

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from chatsys.teach.grading.keys import Mistake

_spec = spec_from_file_location("right", Path(__file__).with_name("answers.py"))
right = module_from_spec(_spec)
_spec.loader.exec_module(right)

Damaged, MyAnsweringLog, MyLog, MyVoter, pack = (
    right.Damaged,
    right.MyAnsweringLog,
    right.MyLog,
    right.MyVoter,
    right.pack,
)


def unpack(line):
    """Return the record of a line, None if it is broken."""
    return json.loads(line[9:]) if pack_text(line[9:]) == line else None


def pack_text(text):
    import zlib

    return b"%08x %s" % (zlib.crc32(text), text)


# --- 7.1 ---------------------------------------------------------------------------------------


class OnlyWrites(MyLog):
    """Writing is enough."""

    def append(self, record):
        self.write(record)


class SyncsTooSoon(MyLog):
    """Syncs, and then writes."""

    def append(self, record):
        self.file.sync()
        self.write(record)


class RefusesTorn(MyLog):
    """Whatever is broken is damage, at the end as well."""

    def load(self):
        *lines, tail = self.file.read().split(b"\n")
        if tail:
            raise Damaged(len(lines) + 1)
        records = [unpack(line) for line in lines]
        if None in records:
            raise Damaged(records.index(None) + 1)
        return records


class RefusesHoles(MyLog):
    """Half a line is torn; a whole one with a wrong sum is damage, also if it is the last."""

    def load(self):
        content = self.file.read()
        *lines, tail = content.split(b"\n")
        records = [unpack(line) for line in lines]
        if None in records:
            raise Damaged(records.index(None) + 1)
        self.file.truncate(len(content) - len(tail))
        return records


class GoesOn(MyLog):
    """Leaves out what is broken."""

    def load(self):
        *lines, tail = self.file.read().split(b"\n")
        good = [line for line in lines if unpack(line) is not None]
        if lines and good and lines[-1] != good[-1]:
            tail = lines[-1] + b"\n" + tail
        self.file.truncate(len(self.file.read()) - len(tail) if good else 0)
        return [unpack(line) for line in good]


class StopsQuietly(MyLog):
    """Takes everything behind the first broken line for torn."""

    def load(self):
        records, size = [], 0
        for line in self.file.read().split(b"\n")[:-1]:
            record = unpack(line)
            if record is None:
                break
            records.append(record)
            size += len(line) + 1
        self.file.truncate(size)
        return records


class LeavesTheTail(MyLog):
    """Does not load what is torn, and leaves it in the file."""

    def load(self):
        lines = self.file.read().split(b"\n")[:-1]
        records = [unpack(line) for line in lines]
        if None in records[:-1]:
            raise Damaged(records.index(None) + 1)
        return [one for one in records if one is not None]


class LeavesTheHole(MyLog):
    """Cuts behind the last line end: a last line that is whole and broken stays."""

    def load(self):
        content = self.file.read()
        records = super().load()
        whole = content.rfind(b"\n") + 1
        self.file.write(content[len(self.file.read()) : whole])
        return records


class TrustsJson(MyLog):
    """No checksum: a line that is JSON is right."""

    def write(self, record):
        self.file.write(json.dumps(record).encode() + b"\n")

    def load(self):
        lines = self.file.read().split(b"\n")[:-1]
        records, size = [], 0
        for number, line in enumerate(lines, 1):
            try:
                records.append(json.loads(line))
                size += len(line) + 1
            except ValueError:
                if number < len(lines):
                    raise Damaged(number) from None
        self.file.truncate(size)
        return records


class CountsFromZero(MyLog):
    """The line is an index."""

    def load(self):
        try:
            return super().load()
        except Damaged as damaged:
            raise Damaged(damaged.line - 1) from None


class InTheRecord(MyLog):
    """The checksum is one more key of the record."""

    def write(self, record):
        self.file.write(json.dumps(record | {"crc": self.sum(record)}).encode() + b"\n")

    def sum(self, record):
        import zlib

        return zlib.crc32(json.dumps({name: value for name, value in record.items() if name != "crc"}).encode())

    def load(self):
        lines = self.file.read().split(b"\n")[:-1]
        records, size = [], 0
        for number, line in enumerate(lines, 1):
            record = self.record_of(line)
            if record is not None:
                records.append(record)
                size += len(line) + 1
            elif number < len(lines):
                raise Damaged(number)
        self.file.truncate(size)
        return records

    def record_of(self, line):
        try:
            record = json.loads(line)
            return record if record.pop("crc") == self.sum(record) else None
        except (ValueError, KeyError, AttributeError):
            return None


class CutsText(MyLog):
    """Counts letters where the file counts bytes."""

    def write(self, record):
        import zlib

        text = json.dumps(record, ensure_ascii=False).encode()
        self.file.write(b"%08x %s\n" % (zlib.crc32(text), text))

    def load(self):
        lines = self.file.read().decode("utf-8", "surrogateescape").split("\n")[:-1]
        records, size = [], 0
        for number, line in enumerate(lines, 1):
            record = unpack(line.encode("utf-8", "surrogateescape"))
            if record is not None:
                records.append(record)
                size += len(line) + 1
            elif number < len(lines):
                raise Damaged(number)
        self.file.truncate(size)
        return records


class SplitsLines(CutsText):
    """Lets Python say what a line is; for Python there are more ends of lines than one."""

    def load(self):
        content = self.file.read()
        content = content[: content.rfind(b"\n") + 1]
        lines = content.decode("utf-8", "surrogateescape").splitlines()
        records, size = [], 0
        for number, line in enumerate(lines, 1):
            line = line.encode("utf-8", "surrogateescape")
            record = unpack(line)
            if record is not None:
                records.append(record)
                size += len(line) + 1
            elif number < len(lines):
                raise Damaged(number)
        self.file.truncate(size)
        return records


class DecodesAll(CutsText):
    """Decodes the whole file before it looks for lines."""

    def load(self):
        self.file.read().decode()
        return MyLog.load(self)


class TellsTheLast(MyLog):
    """Goes on behind a broken line, and tells the last one."""

    def load(self):
        *lines, _ = self.file.read().split(b"\n")
        broken = [number for number, line in enumerate(lines, 1) if unpack(line) is None and number < len(lines)]
        if broken:
            raise Damaged(broken[-1])
        return super().load()


class CutsDamage(MyLog):
    """Cuts the file before it says what is damaged."""

    def load(self):
        try:
            return super().load()
        except Damaged as damaged:
            lines = self.file.read().split(b"\n")
            self.file.truncate(sum(len(line) + 1 for line in lines[: damaged.line - 1]))
            raise


class OnceInARow(MyLog):
    """What is equal to the record before it was appended by mistake, it thinks."""

    def __init__(self, file):
        super().__init__(file)
        self.last = None

    def append(self, record):
        if record != self.last:
            super().append(record)
        self.last = record


class OnTheClass(MyLog):
    """What was appended is remembered beside the file."""

    records = []

    def append(self, record):
        super().append(record)
        self.records.append(record)

    def load(self):
        return self.records or super().load()


# --- 7.2 ---------------------------------------------------------------------------------------


class AnswersAtOnce(MyAnsweringLog):
    """Accepted is written, and written is done."""

    def accept(self, record, answer):
        if not self.failed:
            self.write(record)
            answer()
            self.owed.append(lambda: None)


class AnswersThenSyncs(MyAnsweringLog):
    """The sync is the last thing that a flush does."""

    def flush(self):
        owed, self.owed = self.owed, []
        for answer in owed:
            answer()
        if owed:
            self.file.sync()


class SyncsEach(MyAnsweringLog):
    """A sync for each record."""

    def accept(self, record, answer):
        if not self.failed:
            self.failed = True
            self.append(record)
            self.failed = False
            self.owed.append(answer)

    def flush(self):
        owed, self.owed = self.owed, []
        for answer in owed if not self.failed else ():
            answer()


class SyncsAlways(MyAnsweringLog):
    """A flush syncs, whether there is something to do or not."""

    def flush(self):
        if not self.owed and not self.failed:
            self.failed = True
            self.file.sync()
            self.failed = False
        super().flush()


class SwallowsTheError(MyAnsweringLog):
    """A sync that raises is a sync all the same."""

    def flush(self):
        owed, self.owed = self.owed, []
        if owed:
            try:
                self.file.sync()
            except OSError:
                pass
        for answer in owed:
            answer()


class TriesAgain(MyAnsweringLog):
    """What could not be synced is synced the next time."""

    def flush(self):
        if not self.owed:
            return
        self.file.sync()
        owed, self.owed = self.owed, []
        for answer in owed:
            answer()


class ForgetsTheFailure(MyAnsweringLog):
    """What was owed at a failed sync is not answered; what comes later is."""

    def flush(self):
        try:
            super().flush()
        finally:
            self.failed = False


class ClearsTooLate(MyAnsweringLog):
    """Empties the list when all answers are given: also of what came meanwhile."""

    def flush(self):
        if not self.owed or self.failed:
            return
        self.failed = True
        self.file.sync()
        self.failed = False
        for answer in list(self.owed):
            answer()
        self.owed.clear()


class AnswersWhatComes(ClearsTooLate):
    """Goes through the list while it grows: what comes meanwhile is answered without a sync."""

    def flush(self):
        if not self.owed or self.failed:
            return
        self.failed = True
        self.file.sync()
        self.failed = False
        for answer in self.owed:
            answer()
        self.owed.clear()


class AnswersAgain(MyAnsweringLog):
    """Never forgets what it owes."""

    def flush(self):
        if self.owed and not self.failed:
            self.failed = True
            self.file.sync()
            self.failed = False
            for answer in self.owed:
                answer()


class UnderTheRecord(MyAnsweringLog):
    """Keeps each answer under its record: that of an equal one takes its place."""

    def __init__(self, file):
        super().__init__(file)
        self.under = {}

    def accept(self, record, answer):
        super().accept(record, answer)
        self.under[json.dumps(record)] = answer
        self.owed = list(self.under.values())

    def flush(self):
        self.under = {}
        super().flush()


class AnswersTheLast(MyAnsweringLog):
    """Keeps one answer, the newest."""

    def accept(self, record, answer):
        super().accept(record, answer)
        self.owed = self.owed[-1:]


# --- 7.3 ---------------------------------------------------------------------------------------


class InMemory(MyVoter):
    """The term is an attribute, and nothing else."""

    def __init__(self, file):
        self.term = 0

    def promise(self, term):
        if term <= self.term:
            return False
        self.term = term
        return True


class WritesOnly(MyVoter):
    """The promise is written and not synced."""

    def promise(self, term):
        if term <= self.term:
            return False
        self.log.write({"term": term})
        self.term = term
        return True


class SyncsTheLast(MyVoter):
    """The promise before this one is durable."""

    def promise(self, term):
        if term <= self.term:
            return False
        self.log.file.sync()
        self.log.write({"term": term})
        self.term = term
        return True


class Equal(MyVoter):
    """The same term may be promised again."""

    def promise(self, term):
        if term < self.term:
            return False
        self.log.append({"term": term})
        self.term = term
        return True


class EachOnce(MyVoter):
    """No term twice, and lower ones are welcome."""

    def __init__(self, file):
        self.log = MyLog(file)
        self.terms = {one["term"] for one in self.log.load()}

    def promise(self, term):
        if term in self.terms:
            return False
        self.log.append({"term": term})
        self.terms.add(term)
        return True


class OnceMore(MyVoter):
    """What it loaded may be promised once more: nobody can have heard it."""

    def __init__(self, file):
        super().__init__(file)
        self.loaded = self.term

    def promise(self, term):
        again, self.loaded = term == self.loaded, 0
        return again or super().promise(term)


class ReadsTheFirst(MyVoter):
    """Loads its log, and looks at the first record."""

    def __init__(self, file):
        self.log = MyLog(file)
        self.term = ([*self.log.load(), {"term": 0}][0])["term"]
        self.failed = False


class IgnoresTheDisk(MyVoter):
    """The disk failed; it promises anyway."""

    def promise(self, term):
        try:
            return super().promise(term)
        except OSError:
            self.failed = False
            self.term = term
            return True


class GoesOnPromising(MyVoter):
    """A promise whose sync failed is not given; the next one is."""

    def promise(self, term):
        if term <= self.term:
            return False
        try:
            self.log.append({"term": term})
        except OSError:
            return False
        self.term = term
        return True


class OneNumber(MyVoter):
    """The file holds one number: the new term takes the place of the old one."""

    def __init__(self, file):
        self.file = file
        self.term = int(file.read() or b"0")
        self.failed = False

    def promise(self, term):
        if self.failed or term <= self.term:
            return False
        self.failed = True
        self.file.truncate(0)
        self.file.write(b"%d" % term)
        self.file.sync()
        self.failed = False
        self.term = term
        return True


class WithoutTheTerm(MyVoter):
    """The log says that something was promised, and not which term."""

    def __init__(self, file):
        self.log = MyLog(file)
        self.term = len(self.log.load())
        self.failed = False

    def promise(self, term):
        if self.failed or term <= self.term:
            return False
        self.failed = True
        self.log.append({"promised": True})
        self.failed = False
        self.term = term
        return True


LOG = ("loads", "kept", "torn", "continues", "damage")
ALL_LOG = {"public": LOG, "hidden": (*LOG, "any"), "search": ("twice",)}
ANSWERS = ("answers", "durable", "failed")
BUDGET = ("syncs", "idle")
ALL_ANSWERS = {"public": ANSWERS, "hidden": (*ANSWERS, "meanwhile"), "search": ("every",), "budget": BUDGET}
ANY = {"hidden": ("any",)}


def loses(*aspects, **more):
    """Return what is lost in both checks; what needs it is lost in the hidden one as well."""
    aspects = (*aspects, "failed") if "remembers" in aspects else aspects
    after = [more for before, more in (({*LOG}, "any"), ({"durable"}, "meanwhile")) if before & {*aspects}]
    return {"public": aspects, "hidden": (*aspects, *after), **more}


MISTAKES = {
    "7.1": {
        "write is not sync": Mistake(OnlyWrites, loses("kept", search=("twice",)), r"written is not synced"),
        "syncs before it writes": Mistake(
            SyncsTooSoon, loses("kept", search=("twice",)), r"\d+ synced\. A power cut left"
        ),
        "a torn line refuses the whole log": Mistake(
            RefusesTorn,
            loses("torn", "continues", search=("twice",)),
            r"raised Damaged\(\d+\), and refused the \d+ records",
        ),
        "a hole at the end refuses the whole log": Mistake(
            RefusesHoles, loses("torn", "continues", search=("twice",)), r"a last line whose end is zeros"
        ),
        "a broken line is left out": Mistake(GoesOn, loses("damage"), r"record \d+ now stands at place \d+"),
        "all behind a broken line is torn": Mistake(StopsQuietly, loses("damage"), r"as if the others were torn"),
        "writes behind half a line": Mistake(
            LeavesTheTail, loses("continues", search=("twice",)), r"was written behind half a line"
        ),
        "tells the last broken line": Mistake(
            TellsTheLast, {"hidden": ("damage", "any")}, r"raised Damaged\(5\) instead of Damaged\(2\), the first one"
        ),
        "cuts off what is damaged": Mistake(
            CutsDamage, {"hidden": ("damage", "any")}, r"raised Damaged\(2\) and changed the file to \d+ bytes"
        ),
        "an equal record is no new one": Mistake(OnceInARow, ANY, r"In a log of 9 odd records"),
        "a line with a hole stays in the file": Mistake(
            LeavesTheHole,
            loses("continues", search=("twice",)),
            r"zeros in the last line\. The next life left that line",
        ),
        "JSON is its own checksum": Mistake(TrustsJson, loses("damage"), r"noticed nothing: record \d+ came back"),
        "lines count from 0": Mistake(CountsFromZero, loses("damage"), r"raised Damaged\(\d+\) instead of Damaged"),
        "the checksum takes a key of the record": Mistake(
            InTheRecord, ANY, r"record 2 came back without the key 'crc'"
        ),
        "cuts letters, not bytes": Mistake(CutsText, ANY, r"More was appended after it"),
        "Python's ends of lines": Mistake(SplitsLines, ANY, r"nothing went wrong, and load\(\) raised Damaged\(5\)"),
        "decodes before it looks": Mistake(DecodesAll, loses("damage"), r"raised UnicodeDecodeError"),
        "remembers beside the file": Mistake(OnTheClass, ALL_LOG, r"Do all logs share a list"),
    },
    "7.2": {
        "answers under their records": Mistake(
            UnderTheRecord,
            {"hidden": ("answers", "durable", "failed", "meanwhile"), "search": ("every",), "budget": BUDGET},
            r"When records 1 and 2 were equal, record 1 was accepted, and the flush that followed",
        ),
        "answers when it is written": Mistake(
            AnswersAtOnce, loses("durable", search=("every",), budget=BUDGET), r"answered too early"
        ),
        "answers before the sync": Mistake(
            AnswersThenSyncs, loses("durable", "failed", search=("every",), budget=BUDGET), r"answered too early"
        ),
        "a sync for each record": Mistake(SyncsEach, {"budget": ("syncs",)}, r"took \d syncs: one is enough"),
        "a sync for nothing": Mistake(
            SyncsAlways, {"budget": ("idle",)}, r"a turn of no records, and that turn took 1 sync"
        ),
        "swallows the error of a sync": Mistake(
            SwallowsTheError, loses("failed", search=("every",)), r"it may not be on the disk"
        ),
        "syncs again and answers": Mistake(
            TriesAgain, loses("failed", search=("every",)), r"a later sync does not bring back"
        ),
        "forgets that a sync failed": Mistake(
            ForgetsTheFailure, loses("failed", search=("every",)), r"a later sync does not bring back"
        ),
        "clears what came meanwhile": Mistake(ClearsTooLate, {"hidden": ("meanwhile",)}, r"record 3 was accepted"),
        "answers what came meanwhile": Mistake(
            AnswersWhatComes, {"hidden": ("meanwhile",)}, r"record 3 was answered when"
        ),
        "answers again": Mistake(AnswersAgain, ALL_ANSWERS, r"was answered \d+ times"),
        "answers the newest only": Mistake(AnswersTheLast, ALL_ANSWERS, r"without its answer; none came later"),
    },
    "7.3": {
        "the term is in memory only": Mistake(InMemory, loses("remembers"), r"promise\(12\) was only in memory"),
        "the promise is not synced": Mistake(
            WritesOnly, loses("remembers"), r"promise\(\d+\) was written and not synced"
        ),
        "the promise is synced next time": Mistake(
            SyncsTheLast, loses("remembers"), r"promise\(\d+\) was written and not synced"
        ),
        "once more after a crash": Mistake(
            OnceMore, loses("remembers"), r"term (\d+) was promised at .* and term \1 was promised at"
        ),
        "the same term again": Mistake(
            Equal, loses("once", "remembers"), r"term 5 was promised at 1.0 s, and promise\(5\)"
        ),
        "lower terms are new terms": Mistake(
            EachOnce, loses("once", "remembers"), r"promise\(3\) returned True at 3.0 s"
        ),
        "remembers the first promise": Mistake(ReadsTheFirst, loses("remembers"), r"term \d+ was promised at"),
        "the file holds one number": Mistake(OneNumber, loses("remembers"), r"the file had been cut to 0 bytes"),
        "the promise without its term": Mistake(WithoutTheTerm, loses("remembers"), r"was durable, and"),
        "promises on a disk that failed": Mistake(IgnoresTheDisk, loses("failed"), r"the sync at \d+ bytes failed"),
        "promises after a sync that failed": Mistake(
            GoesOnPromising, loses("failed"), r"the sync failed at \d+\.0 s, .* promised term \d+ again"
        ),
    },
}
