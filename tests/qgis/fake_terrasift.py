"""Stands in for the command: does what its second argument says, with the command's own manners."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def say(event: str, **what: object) -> None:
    print(json.dumps({"event": event, **what}), file=sys.stderr, flush=True)


def main() -> int:
    if "--version" in sys.argv:
        print(os.environ.get("FAKE_VERSION", "terrasift 99.1.0"))
        return 0
    _, what, *rest = sys.argv
    assert rest[-3:] == ["--progress", "json", "--json"]
    if what == "work":
        say("log", level="info", message="2 patches of Ü")
        for done in range(3):
            say("progress", stage="superpixels", done=done, total=2, message="north")
        print("a line of a library", file=sys.stderr)
        print(json.dumps({"written": [rest[0]], "facts": {"classes": 3}, "next": "terrasift view"}, indent=1))
    elif what == "fail":
        say("error", message="map.png: is broken; mend it")
        print("afterwards", file=sys.stderr)
        return 2
    elif what == "fail as of old":
        print("terrasift: map.png: is broken; mend it", file=sys.stderr)
        return 2
    elif what == "mumble":
        print("done")
    elif what == "environment":
        print(json.dumps(dict(os.environ)))
    elif what == "shout":  # more than a pipe holds, on both
        for number in range(5000):
            say("log", level="info", message="x" * 100 + str(number))
        print(json.dumps({"facts": ["y" * 100] * 5000}))
    elif what in ("last", "last through an interrupt"):  # for long, with a process of its own
        signal.signal(signal.SIGINT, signal.default_int_handler if what == "last" else signal.SIG_IGN)
        own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(rest[0]).write_text(f"{os.getpid()} {own.pid}")
        try:
            say("progress", stage="training", done=1, total=100, message="")
            time.sleep(60)
        except KeyboardInterrupt:
            Path(rest[0]).with_suffix(".tidy").touch()
            return 130
    return 0


sys.exit(main())
