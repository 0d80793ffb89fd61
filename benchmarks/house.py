"""What a reader of a checkout meets: how often a thing is told, and the functions that each way passes.

    python benchmarks/house.py [CHECKOUT...] [--ways DEPTH] [--json FILE]

Prints counts of the sources below each CHECKOUT, side by side (of this one, if none is named). With --ways it also
trains a network for two steps, maps a scene and scores it with the code of each, and prints which of its functions are
called on each way, down to DEPTH: each where it is called first, indented below its caller.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FEATURES = (
    "assess.py",
    "assessment/",
    "cli/assess.py",
    "cli/teach.py",
    "discovery/",
    "report/assessment/",
    "teaching/",
    "viewer/lesson",
)
"""Below src/terrasift, what came with new features."""

OPTION = re.compile(r"(?<![\w-])--[a-z]")


def main(checkouts: list[Path], depth: int, out: Path | None) -> None:
    """Print the table."""
    names = [commit(checkout) for checkout in checkouts]
    found = [counts(checkout) for checkout in checkouts]
    ways = [run(checkout, WAYS, str(depth)).splitlines() if depth else [] for checkout in checkouts]
    for of, way in zip(found, ways, strict=True):
        of |= dict(line.split(": ", 1) for line in way if line[0] != " ")
    rows = {name: [of[name] for of in found] for name in found[0]}
    print(f"{'':<52}" + "".join(f"{name:>28}" for name in names))
    for name, values in rows.items():
        print(f"{name:<52}" + "".join(f"{value:>28}" for value in values))
    for name, way in zip(names, ways, strict=True):
        print(f"\n{name}", *way, sep="\n")
    if out is not None:
        content = {"commits": names, "counts": rows, "ways": dict(zip(names, ways, strict=True))}
        out.write_text(json.dumps(content, indent=1) + "\n")


def commit(checkout: Path) -> str:
    """What is counted, in a word."""
    command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def counts(checkout: Path) -> dict[str, Any]:
    """By what is counted."""
    source = checkout / "src" / "terrasift"
    texts = {path.relative_to(source): path.read_text() for path in sorted(source.rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in texts.items()}
    library = {path: tree for path, tree in trees.items() if path.parts[0] != "cli"}

    def naming(pattern: str) -> int:
        return sum(bool(re.search(pattern, text)) for path, text in texts.items() if path.parts[0] != "run")

    def all_of(of: Callable[[ast.AST], Iterator[object]], trees: dict[Path, ast.Module] = trees) -> list[object]:
        return [found for tree in trees.values() for node in ast.walk(tree) for found in of(node)]

    lines = {path: text.count("\n") for path, text in texts.items()}
    new = sum(count for path, count in lines.items() if path.as_posix().startswith(FEATURES))
    told = Counter(name for tree in trees.values() for name in set(public_definitions(tree)))
    report = [path for path in texts if path.parts[0] == "report"]
    return {
        "modules outside run that name images.txt": naming(r'images_file|"images\.txt"'),
        "modules outside run that name log.csv": naming(r'log_file|"log\.csv"'),
        "modules outside run that name evaluation.json": naming(r'evaluation_file|EVALUATION_FILE|"evaluation\.json"'),
        "parameters `track`": len(all_of(parameters("track"))),
        "parameters `show`": len(all_of(parameters("show"))),
        "`confidence: bool`": len(all_of(parameters("confidence", "bool"))),
        "modules that spell `.partial` themselves": sum(any(map(spells_partial, ast.walk(t))) for t in trees.values()),
        "messages of the library that name --options": len(all_of(messages_with_options, library)),
        "checks of scaling for None": sum(len(re.findall(r"scaling is (?:not )?None", t)) for t in texts.values()),
        "modules in report/, of all depths": len(report),
        "modules in report/, at its top": sum(len(path.parts) == 2 for path in report),
        "public names that two modules define": sum(count > 1 for count in told.values()),
        "commands with --json": commands_with_json(checkout),
        "lines of src": sum(lines.values()),
        "lines of src without what came with features": sum(lines.values()) - new,
    }


def parameters(name: str, kind: str = "") -> Callable[[ast.AST], Iterator[object]]:
    """Parameters of functions, and fields of classes, that are called so; of one type, if it is named."""

    def found(node: ast.AST) -> Iterator[object]:
        declared = [(node.target, node.annotation)] if isinstance(node, ast.AnnAssign) else []
        if isinstance(node, ast.FunctionDef):
            declared = [(each, each.annotation) for each in (*node.args.args, *node.args.kwonlyargs)]
        for what, type_of_it in declared:
            called = getattr(what, "arg", getattr(what, "id", ""))
            if called == name and (not kind or (type_of_it and ast.unparse(type_of_it) == kind)):
                yield what

    return found


def messages_with_options(node: ast.AST) -> Iterator[object]:
    """Errors whose words name an option; whole command lines may."""
    if isinstance(node, ast.Raise) and OPTION.search(re.sub(r"terrasift \w+ .*", "", ast.unparse(node))):
        yield node


def spells_partial(node: ast.AST) -> bool:
    """Whether it is a piece of a temporary file's name."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(PARTIAL.search(node.value))


PARTIAL = re.compile(r"^\S*\.partial\S*$")


def public_definitions(tree: ast.Module) -> Iterator[str]:
    """Names that a module both defines and lists as public."""
    listed = {
        name.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.walk(node.value)
        if isinstance(name, ast.Constant)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in listed:
            yield node.name
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            if isinstance(target, ast.Name) and target.id in listed:
                yield target.id


def commands_with_json(checkout: Path) -> str:
    """How many of all."""
    return run(checkout, COMMANDS).strip()


def run(checkout: Path, code: str, *arguments: str) -> str:
    """What a program prints with the package of a checkout."""
    command = [sys.executable, "-c", code, *arguments]
    environment = {"PYTHONPATH": str(checkout.resolve() / "src"), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout


COMMANDS = """
from typer.main import get_command
from terrasift.cli import app

def leaves(command):
    commands = getattr(command, "commands", None)
    return [command] if commands is None else [leaf for each in commands.values() for leaf in leaves(each)]

found = leaves(get_command(app))
print(sum(any("--json" in parameter.opts for parameter in each.params) for each in found), "of", len(found))
"""

WAYS = """
import sys, tempfile
from pathlib import Path
import terrasift
from terrasift import LandClass, Legend, Recipe, Run, train
from terrasift.data.synthetic import SYNTHETIC_CLASSES, synthetic_scene
from terrasift.raster import write_image
import terrasift.baselines

ROOT, DEPTH = str(Path(terrasift.__file__).parent), int(sys.argv[1])

def way(name, do):
    stack, seen, reads = [], {}, 0
    def watch(frame, event, _):
        nonlocal reads
        code = frame.f_code
        if not code.co_filename.startswith(ROOT):
            return
        if event == "call" and not code.co_name.startswith("<"):
            stack.append(code)
            module = code.co_filename[len(ROOT) + 1 : -3].replace("/", ".")
            reads += module.startswith("recipe") and code.co_name == "load"
            if len(stack) <= DEPTH:
                seen.setdefault(f"{module}.{code.co_qualname}", len(stack))
        elif event == "return" and stack and stack[-1] is code:
            stack.pop()
    sys.setprofile(watch)
    result = do()
    sys.setprofile(None)
    print(f"{name}: {len(seen)} functions, {reads} recipes read")
    for function, depth in seen.items():
        print("  " * depth + function)
    return result

folder = Path(tempfile.mkdtemp())
scene = synthetic_scene(128, 128, seed=1)
for kind, values in {"images": scene.image, "masks": scene.labels}.items():
    write_image(folder / kind / "a.tif", values, crs="EPSG:32633", transform=(0.25, 0, 500000.0, 0, -0.25, 5000000.0))
legend = Legend(tuple(LandClass(name, color) for name, color in SYNTHETIC_CLASSES))
tiny = ["width=4", "patch=64", "batch_size=2", "clusters=8", "steps=2", "compute.device=cpu", "compute.workers=0"]
image = str(folder / "images" / "a.tif")
recipe = Recipe.load("paper", tiny)
way("train", lambda: train([image], folder / "run", recipe))
opened = lambda: Run.open(folder / "run")
way("predict", lambda: opened().predict(image, folder / "map.tif"))
way("evaluate", lambda: opened().evaluate([image], folder / "masks", legend))
"""

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path)
    parser.add_argument("--ways", metavar="DEPTH", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", type=Path)
    given = parser.parse_args()
    main(given.checkouts or [Path(__file__).parents[1]], given.ways, given.json)
