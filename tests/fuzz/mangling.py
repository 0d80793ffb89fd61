"""Good files made bad, as disks, kills, editors and strangers make them."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

__all__ = ["mangled", "odd_arrays", "odd_json", "odd_tensors", "odd_text", "odd_tiff", "odd_value"]

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


def odd_json(random: random.Random, text: str) -> str:
    """JSON with one to three of its values replaced, removed, doubled or nested."""
    content = json.loads(text)
    for _ in range(random.randint(1, 3)):
        places = list(_places(content))
        if not places:
            return json.dumps(random.choice(_JSON))
        within, key = random.choice(places)
        match random.randrange(6):
            case 0:
                del within[key]
            case 1:
                within[key] = [within[key]]
            case 2 if isinstance(within, list):
                within.insert(key, within[key])
            case 3 if isinstance(within[key], (int, float)) and not isinstance(within[key], bool):
                within[key] = random.choice([-1, 0, within[key] + 1, -within[key], 1e308, 2**31, 2**63, 10**30, 0.5])
            case _:
                within[key] = random.choice(_JSON)
    return json.dumps(content).replace('"DEEP"', "[" * 5000 + "]" * 5000)


_JSON = [None, True, "", "x", "DEEP", "é\u202e", "../../etc/passwd", "/dev/zero", [], {}, [[]], {"a": []}, float("nan")]
_JSON += [float("inf"), 0, -1, 2**31, 2**63, 10**400, 0.1, "9" * 5000, [None], [1, "a"], "#12345", "NaN", "<b>&"]


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Each value in a tree of JSON as what holds it and its key or position there."""
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    return [place for key in list(keys) for place in [(content, key), *_places(content[key])]]


def odd_tensors(random: random.Random, content: bytes) -> bytes:
    """A safetensors file that is well formed, with something wrong in its arrays, its texts or its head."""
    length = int.from_bytes(content[:8], "little")
    head, arrays = json.loads(content[8 : 8 + length]), load(content)
    texts = head.get("__metadata__") or {}
    if random.random() < 0.3:
        head = odd_json(random, json.dumps(head)).encode()
        return len(head).to_bytes(8, "little") + head + content[8 + length :]
    if texts and random.random() < 0.2:
        texts[random.choice(list(texts))] = odd_value(random)
    else:
        name = random.choice(list(arrays))
        arrays[random.choice([name, name, name, "more"])] = np.ascontiguousarray(_odd_array(random, arrays[name]))
    return save(arrays, {key: value.encode("utf-8", "replace").decode() for key, value in texts.items()})


def odd_arrays(random: random.Random, content: bytes) -> bytes:
    """The same of an ``.npz`` file."""
    with np.load(io.BytesIO(content)) as stored:
        arrays = {name: stored[name] for name in stored.files}
    name = random.choice(list(arrays))
    written = io.BytesIO()
    if random.random() < 0.2:  # an archive that says that it holds more than there is
        head = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}.npy", head.ljust(127) + b"\n" + bytes(10_000_000))
        return written.getvalue()
    np.savez_compressed(written, **arrays | {name: _odd_array(random, arrays[name])})
    return written.getvalue()


def _odd_array(random: random.Random, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind in "US":
        return np.array([odd_value(random).replace("\0", "")] * max(1, array.size)).reshape(array.shape or ())
    with np.errstate(invalid="ignore"):
        wrong = array.astype(random.choice([array.dtype, array.dtype, np.float64, np.int64, np.uint8]))
    match random.randrange(7):
        case 0 if wrong.size and wrong.dtype.kind == "f":
            wrong.flat[random.randrange(wrong.size)] = random.choice([np.nan, np.inf, -np.inf, 1e30])
        case 1 if wrong.size:
            wrong.flat[random.randrange(wrong.size)] = random.choice([0, 1, 100])
        case 2 if wrong.ndim:
            wrong = wrong[random.choice([slice(1), slice(1, None), slice(0), slice(None, None, -1)])]
        case 3:
            wrong = wrong[None]
        case 4:
            wrong = wrong.reshape(-1)
        case 5:
            wrong = np.zeros(random.choice([(), (0,), (1,), (3, 3), (1, 1, 1, 1, 1), (2000, 2000)]), wrong.dtype)
        case _:
            wrong = wrong * 2
    return np.asarray(wrong)


def odd_tiff(random: random.Random, content: bytes) -> bytes:
    """A TIFF of which one to three tags claim something else: sizes, bands, types, strips, tiles, the next image."""
    data = bytearray(content)
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, start)[0]
    for _ in range(random.randint(1, 3)):
        entry = start + 2 + 12 * random.randrange(count)
        value = random.choice([*_NUMBERS[:-2], 3, 16, 200_000, 10_000])
        match random.randrange(6):
            case 0:
                struct.pack_into(
                    order + "H", data, entry, random.choice([256, 257, 258, 259, 262, 277, 284, 322, 330, 339])
                )
            case 1:
                struct.pack_into(order + "H", data, entry + 2, random.randrange(0, 20))
            case 2:
                struct.pack_into(order + "I", data, entry + 4, value % 2**32)
            case 3:
                struct.pack_into(
                    order + "I", data, start + 2 + 12 * count, random.choice([start, 8, len(data), value % 2**32])
                )
            case _:
                struct.pack_into(order + "I", data, entry + 8, value % 2**32)
    return bytes(data)
