"""Lines: whole lines come out however the bytes came, and each byte is looked at once."""

from random import Random

from chatsys.runtime.net.lines import Lines


def test_the_same_lines_come_out_however_the_bytes_came() -> None:
    chance, whole = Random(1), b"".join(b"%d" % n * (n % 7) + b"\n" for n in range(300))
    for _ in range(20):
        lines, out, at = Lines(), [], 0
        while at < len(whole):
            piece = whole[at : at + chance.choice((1, 2, 3, 50, 1000))]
            at += len(piece)
            lines.add(piece)
            while (one := lines.next()) is not None:
                out.append(one)
        assert out == whole.split(b"\n")[:-1] and len(lines) == 0


def test_a_long_line_that_comes_byte_by_byte_is_searched_once() -> None:
    """Searched anew at each byte, this would be 30 GB: a quarter of an hour."""
    lines = Lines()
    for _ in range(1 << 18):
        lines.add(b"x")
        assert lines.next() is None
    lines.add(b"\nrest")
    assert lines.next() == b"x" * (1 << 18)
    assert lines.next() is None and len(lines) == 4


def test_many_lines_in_one_piece_are_taken_one_by_one() -> None:
    lines = Lines()
    lines.add(b"a\n" * 100_000)
    assert sum(1 for _ in iter(lines.next, None)) == 100_000
