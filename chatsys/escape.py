"""Escape: what others wrote, shown in a terminal as signs and never obeyed as orders.

    escape("\\x1b[2Jgone")   ->  \\x1b[2Jgone          an escape sequence would clear the screen
    escape("a\\nb")          ->  a\\nb                 a line feed would forge a line of its own
    escape("\\u202ecba")     ->  \\u202ecba            an override would turn the rest of the line round

Every script and every emoji passes as it is; only signs that steer the terminal are written out.
Read also `clients.line` (who prints), `teach.figures.theme` (the same for notebooks).
"""

import unicodedata

_STEERING = {"Cc", "Zl", "Zp", "Cs"}
_TURNING = set(map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def escape(text: str) -> str:
    """Return `text` with every control sign written out, on one line."""
    return "".join(map(_sign, text))


def _sign(sign: str) -> str:
    if unicodedata.category(sign) not in _STEERING and sign not in _TURNING:
        return sign
    return sign.encode("unicode_escape").decode()
