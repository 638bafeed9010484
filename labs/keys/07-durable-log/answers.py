"""Right answers to lab 07, written in different ways; the first one of each exercise is the reference."""

import hashlib
import json
import zlib
from collections import deque
from dataclasses import dataclass, field


class Damaged(Exception):
    """A line of the log is not as it was written; `line` counts from 1."""

    def __init__(self, line):
        super().__init__(line)
        self.line = line


# --- 7.1 ---------------------------------------------------------------------------------------


class MyLog:
    """One record a line: a checksum, a space, and the record as JSON."""

    def __init__(self, file):
        self.file = file

    def write(self, record):
        text = json.dumps(record).encode()
        self.file.write(b"%08x %s\n" % (zlib.crc32(text), text))

    def append(self, record):
        self.write(record)
        self.file.sync()

    def load(self):
        *lines, _ = self.file.read().split(b"\n")
        records, size = [], 0
        for number, line in enumerate(lines, 1):
            if line[:9] == b"%08x " % zlib.crc32(line[9:]):
                records.append(json.loads(line[9:]))
                size += len(line) + 1
            elif number < len(lines):
                raise Damaged(number)
        self.file.truncate(size)
        return records


class Wrapped:
    """The record and its checksum in one JSON object; names that stand for something in the notebook."""

    def __init__(self, file):
        self.file = file
        self.result, self.world = 0, None

    def append(self, record):
        self.file.write(self.show(record))
        self.file.sync()

    def show(self, record):
        inner = json.dumps(record, ensure_ascii=False)
        return json.dumps({"sum": self.check(inner), "record": inner}, ensure_ascii=False).encode() + b"\n"

    def check(self, text):
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def read_line(self, line):
        try:
            outer = json.loads(line.decode())
            inner = outer["record"]
            return json.loads(inner) if self.show(json.loads(inner)) == line + b"\n" else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def load(self):
        content = self.file.read()
        whole = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        found = []
        for line in whole:
            record = self.read_line(line.rstrip(b"\n"))
            if record is None:
                if len(found) < len(whole) - 1:
                    raise Damaged(len(found) + 1)
                break
            found.append(record)
        self.result = sum(len(line) for line in whole[: len(found)])
        if self.result < len(content):
            self.file.truncate(self.result)
            self.file.sync()
        return found


def pack_line(record):
    """A helper outside of the class: the length, the record, and a checksum behind it."""
    body = json.dumps(record, separators=(",", ":")).encode()
    return b"%d:%s|%s\n" % (len(body), body, hashlib.md5(body).hexdigest().encode())


def unpack_line(line):
    head, _, rest = line.partition(b":")
    body, _, check = rest.rpartition(b"|")
    if check != hashlib.md5(body).hexdigest().encode() or head != b"%d" % len(body):
        raise ValueError(line)
    return json.loads(body)


class Helped:
    """Looks from the end: what is broken there is cut off, what is broken before it is told."""

    def __init__(self, file):
        self.file = file

    def append(self, record):
        self.file.write(pack_line(record))
        self.file.sync()

    def load(self):
        data = self.file.read()
        end = data.rfind(b"\n") + 1
        lines = data[:end].split(b"\n")[:-1]
        if lines:
            try:
                unpack_line(lines[-1])
            except ValueError:
                end -= len(lines.pop()) + 1
        found = []
        for number, line in enumerate(lines, 1):
            try:
                found.append(unpack_line(line))
            except ValueError:
                raise Damaged(number) from None
        self.file.truncate(end)
        return found


@dataclass
class Line:
    """One line of the log."""

    record: dict

    def text(self):
        return json.dumps([self.record, zlib.adler32(repr(sorted(self.record.items())).encode())])


@dataclass
class AsDataclass:
    """The checksum is of the record itself, not of its text; body and line end are written one after the other."""

    file: object
    lines: list = field(default_factory=list)

    def append(self, record):
        self.file.write(Line(record).text().encode("ascii"))
        self.file.write(b"\n")
        self.file.sync()

    def load(self):
        content = self.file.read()
        size = 0
        while (end := content.find(b"\n", size)) >= 0:
            line = content[size:end]
            try:
                record, _ = json.loads(line.decode("ascii"))
                good = Line(record).text().encode() == line
            except (ValueError, TypeError, AttributeError):
                good = False
            if not good and end + 1 < len(content) and content.find(b"\n", end + 1) >= 0:
                raise Damaged(len(self.lines) + 1)
            if not good:
                break
            self.lines.append(record)
            size = end + 1
        self.file.truncate(size)
        return self.lines


class Chained(MyLog):
    """Each sum covers that of the line before it; what was cut off is synced at once, also where it was nothing."""

    def __init__(self, file):
        super().__init__(file)
        self.last = b""

    def write(self, record):
        self.last = self.chained(json.dumps(record).encode())
        self.file.write(self.last)

    def chained(self, text):
        return b"%s %s\n" % (hashlib.sha1(self.last + text).hexdigest().encode(), text)

    def load(self):
        records, size = [], 0
        lines = [line + b"\n" for line in self.file.read().split(b"\n")[:-1]]
        for number, line in enumerate(lines, 1):
            text = line[41:-1]
            if self.chained(text) == line:
                self.last = line
                records.append(json.loads(text))
                size += len(line)
            elif number < len(lines):
                raise Damaged(number)
        self.file.truncate(size)
        self.file.sync()
        return records


# --- 7.2 ---------------------------------------------------------------------------------------


class MyAnsweringLog(MyLog):
    """Many answers wait for one sync."""

    def __init__(self, file):
        super().__init__(file)
        self.owed, self.failed = [], False

    def accept(self, record, answer):
        if not self.failed:
            self.write(record)
            self.owed.append(answer)

    def flush(self):
        owed, self.owed = self.owed, []
        if not owed or self.failed:
            return
        try:
            self.file.sync()
        except OSError:
            self.failed = True
            raise
        for answer in owed:
            answer()


class Queued(Helped):
    """A queue of answers, which is emptied as far as it was full at the sync; the error of a sync is kept."""

    def __init__(self, file):
        super().__init__(file)
        self.show = deque()
        self.error = None

    def accept(self, record, answer):
        if self.error is not None:
            raise self.error
        self.file.write(pack_line(record))
        self.show.append(answer)

    def flush(self):
        if self.error is not None:
            raise self.error
        count = len(self.show)
        if count:
            try:
                self.file.sync()
            except OSError as error:
                self.error = error
                return
        for _ in range(count):
            self.show.popleft()()


class Batched(MyLog):
    """Nothing is written before the flush, which writes all lines at once."""

    def __init__(self, file):
        super().__init__(file)
        self.waiting, self.usable = {}, True

    def accept(self, record, answer):
        self.waiting[len(self.waiting)] = (record, answer)

    def flush(self):
        if not self.waiting or not self.usable:
            return
        batch, self.waiting = self.waiting, {}
        self.usable = False  # until the disk has said yes
        self.file.write(b"".join(pack(record) for record, _ in batch.values()))
        self.file.sync()
        self.usable = True
        for _, answer in batch.values():
            answer()


def pack(record):
    text = json.dumps(record).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


@dataclass
class Debts(AsDataclass):
    """A dataclass that inherits from a dataclass; flush answers in turns until nothing is owed, each with a sync."""

    owed: list = field(default_factory=list)
    check: bool = True

    def accept(self, record, answer):
        if self.check:
            self.file.write(Line(record).text().encode("ascii") + b"\n")
            self.owed.append(answer)

    def flush(self):
        while self.owed and self.check:
            self.check = False
            self.file.sync()
            self.check = True
            owed, self.owed = self.owed, []
            for answer in owed:
                answer()


class SyncsAtFirst(Chained):
    """Its first sync is that of load: a life in which that one fails has not begun."""

    def __init__(self, file):
        super().__init__(file)
        self.turn, self.good = [], True

    def accept(self, record, answer):
        if self.good:
            self.write(record)
            self.turn.append(answer)

    def flush(self):
        turn, self.turn = self.turn, []
        if turn and self.good:
            self.good = False
            self.file.sync()
            self.good = True
        for answer in turn if self.good else ():
            answer()


# --- 7.3 ---------------------------------------------------------------------------------------


class MyVoter:
    """A promise is a record in a log."""

    def __init__(self, file):
        self.log = MyLog(file)
        self.term = max((one["term"] for one in self.log.load()), default=0)
        self.failed = False

    def promise(self, term):
        if self.failed or term <= self.term:
            return False
        self.failed = True
        self.log.append({"term": term})
        self.failed = False
        self.term = term
        return True


class Inherits(Wrapped):
    """Is a log, and keeps all terms; a disk that failed takes the last word."""

    def __init__(self, file):
        super().__init__(file)
        self.promised = self.load()

    def promise(self, term):
        if self.promised is None or self.promised and term <= self.promised[-1]["t"]:
            return False
        try:
            self.append({"t": term})
        except OSError:
            self.promised = None
            return False
        self.promised.append({"t": term})
        return True


class ByAnswer:
    """Takes its own answering log: the promise is made when the answer comes."""

    def __init__(self, file):
        self.world = MyAnsweringLog(file)
        self.result = {"highest": 0}
        for record in self.world.load():
            self.result = record

    def promise(self, term):
        if term <= self.result["highest"]:
            return False
        said = []
        self.world.accept({"highest": term}, lambda: said.append(term))
        self.world.flush()
        if said:
            self.result = {"highest": term}
        return bool(said)


@dataclass
class Plain:
    """Only digits and their sum in the file; what is torn is no promise."""

    file: object
    highest: float = 0

    def __post_init__(self):
        size = 0
        for line in self.file.read().split(b"\n")[:-1]:
            number, _, check = line.partition(b" ")
            if check != b"%08x" % zlib.crc32(number):
                break
            self.highest = int(number)
            size += len(line) + 1
        self.file.truncate(size)

    def promise(self, term):
        if term > self.highest:
            number = b"%d" % term
            self.highest = float("inf")  # above all terms, unless the disk takes this one
            self.file.write(b"%s %08x\n" % (number, zlib.crc32(number)))
            self.file.sync()
            self.highest = term
            return True
        return False


ANSWERS = {
    "7.1": {
        "reference": MyLog,
        "record and sum in one object": Wrapped,
        "helpers, from the end": Helped,
        "dataclass, two writes": AsDataclass,
        "a chain of sums": Chained,
    },
    "7.2": {
        "reference": MyAnsweringLog,
        "queue": Queued,
        "one write": Batched,
        "dataclass, answers in turns": Debts,
        "syncs at first": SyncsAtFirst,
    },
    "7.3": {"reference": MyVoter, "is a log": Inherits, "by its own answer": ByAnswer, "dataclass, digits": Plain},
}
