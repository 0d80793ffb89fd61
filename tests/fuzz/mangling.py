"""Good files made bad, as disks, kills, editors and strangers make them."""

from __future__ import annotations

import random
import re
import struct

__all__ = ["mangled", "odd_text", "odd_value"]

_NUMBERS = [0, 1, -1, 7, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**30]
_VALUES = [
    *("", "null", "true", "~", ".nan", ".inf", "-.inf", "[]", "{}", "[[]]", "[1, [2, {a: b}]]", "{a: {b: {c: 1}}}"),
    *('"\\uD800"', '"\\0"', "'\\0'", "0x10", "0o17", "1e400", "-0", "1_000", "2020-01-01", "12:30:45", "=", "<<"),
    *(
        "!!python/object/apply:os.system [exit]",
        "!!binary aGk=",
        "!!float x",
        "!!timestamp no",
        "!!set {a}",
        "!nobody x",
    ),
    *("&a [*a]", "*none", "9" * 5000, "x" * 5000, "[" * 500, "{" * 500, "é中\u202e", "- a", "a: b: c", "|\n  text"),
    *("? [1]\n: 2", "%YAML 9", "---", "../../etc/passwd", "/dev/zero", "/dev/null", "nan", "1,2", "#000000", "None"),
    *("!nobody x", "\t", "\ufeff", "\x07", *map(str, _NUMBERS)),
]


def odd_value(random: random.Random) -> str:
    """A value that nobody expects."""
    return random.choice(_VALUES)


def odd_text(random: random.Random, text: str) -> str:
    """A text of lines with one to three things wrong: values, keys, lines, indents, or plain damage."""
    for _ in range(random.randint(1, 3)):
        lines = text.splitlines() or [""]
        number = random.randrange(len(lines))
        line = lines[number]
        match random.randrange(9):
            case 0 | 1 | 2:  # a value
                lines[number] = re.sub(
                    r"([:,=>] *)([^:,=#<>{}\[\]]+)", lambda found: found[1] + odd_value(random), line, count=1
                )
            case 3:
                lines[number] = odd_value(random)
            case 4:
                lines.insert(number, random.choice(lines))
            case 5:
                del lines[number]
            case 6:
                lines[number] = random.choice(["  ", "\t", "- ", "? "]) + line
            case 7:
                words = re.findall(r"\w+", line)
                lines[number] = line.replace(random.choice(words), odd_value(random), 1) if words else line
            case _:
                return mangled(random, "\n".join(lines).encode("utf-8", "replace")).decode("latin-1")
        text = "\n".join(lines) + "\n"
    return text


def mangled(random: random.Random, content: bytes) -> bytes:
    """Bytes with something wrong: cut off, flipped, overwritten, repeated, swapped, or numbers among them replaced."""
    data = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 5, 20])):
        place = random.randrange(len(data) + 1)
        if random.random() < 0.5:
            place = min(place, random.randrange(512))  # heads are where the claims are
        match random.randrange(8):
            case 0:
                del data[place:]
            case 1 if data:
                data[min(place, len(data) - 1)] ^= 1 << random.randrange(8)
            case 2:
                data[place : place + 4] = struct.pack(random.choice("<>") + "I", random.choice(_NUMBERS) % 2**32)
            case 3:
                data[place : place + 8] = struct.pack(random.choice("<>") + "Q", random.choice(_NUMBERS) % 2**64)
            case 4:
                data[place:place] = bytes(random.choice([1, 3, 100, 10_000]))
            case 5:
                del data[place : place + random.choice([1, 4, 64])]
            case 6:
                other = random.randrange(len(data) + 1)
                data[place:place] = data[other : other + random.choice([2, 16, 300])]
            case _:
                data[place : place + 2] = random.randbytes(2)
    return bytes(data)
