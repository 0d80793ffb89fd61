"""What a training step costs, beside the step it was before it was made faster, and beside a bare one.

The step *before* is kept below: eager, float32, `argmax`, the dictionary's responses joined at full resolution. *Bare*
is the network's forward pass, a plain cross-entropy on labels that are given, backward, optimiser, in today's precision
and memory format: what self-training adds to it is the vote and the weights. All rows of a size take turns, one step
each, so that what slows one down slows all; quote their ratios. With one CPU thread, times are processor times.

    python benchmarks/step.py --json step.json
    python benchmarks/step.py --sizes "dic 16 8x128" --repeats 3
    python benchmarks/step.py --device cuda --json step-cuda.json

Goals: today's step at least 2.0 times as fast as the one before on a CPU, and at most 1.10 of a bare one. `--scores`
trains both for a while, with three seeds, on a generated town whose classes are given: the accuracy on another town.
Besides the project's source it needs PyTorch, NumPy, safetensors and rich only.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import MagicMock

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional

SOURCE = Path(__file__).resolve().parents[1] / "src" / "terrasift"

if importlib.util.find_spec("terrasift") is None or importlib.util.find_spec("lazy_loader") is None:
    sys.modules["terrasift"] = types.ModuleType("terrasift")  # a machine with PyTorch and little else
    sys.modules["terrasift"].__path__ = [str(SOURCE)]
for _name in ("yaml", "filelock"):
    if importlib.util.find_spec(_name) is None:  # a step reads and writes no file
        sys.modules[_name] = MagicMock()

from terrasift.blocks.batch import Batch  # noqa: E402
from terrasift.blocks.dictionary import dictionary_responses, half_resolution  # noqa: E402
from terrasift.blocks.dictionary_extractor import DictionaryUnet  # noqa: E402
from terrasift.blocks.extractors import EXTRACTORS  # noqa: E402
from terrasift.blocks.losses import class_weights  # noqa: E402
from terrasift.blocks.refinement import refine  # noqa: E402
from terrasift.network import build_network  # noqa: E402
from terrasift.training import StepResult, training_step  # noqa: E402

CLUSTERS = 100
SIZES = ("dictionary 48 8x96", "dic 16 8x128", "dic 64 8x128", "dic 16 16x200", "dic 64 16x200")
COMPILE_WITHIN = 45.0  # seconds from the start: later there is no time left for it


class Size(NamedTuple):
    extractor: str
    width: int
    count: int
    side: int

    @classmethod
    def parse(cls, text: str) -> Size:
        extractor, width, batch = text.split()
        count, _, side = batch.partition("x")
        return cls(extractor, int(width), int(count), int(side))

    def __str__(self) -> str:
        return f"{self.extractor} {self.width}, {self.count} x {self.side} x {self.side}"


def settings(size: Size) -> Any:
    """What a step asks a recipe for."""
    added = types.SimpleNamespace(continuity=0.0, mumford_shah=0.0, tv_weight=0.001, reduction="mean")
    weights = "none" if size.extractor == "dictionary" else "balanced"
    return types.SimpleNamespace(
        clusters=CLUSTERS, class_weights=weights, refinement=types.SimpleNamespace(method="slic"), losses=added
    )


def main() -> None:
    started = time.monotonic()
    options = _options()
    device = torch.device(options.device)
    found: dict[str, Any] = {"machine": machine(device), "sizes": {}}
    for text in options.sizes:
        size = Size.parse(text)
        compiled = options.compile and time.monotonic() - started < COMPILE_WITHIN
        found["sizes"][str(size)] = rows = measure(size, device, options, compiled=compiled)
        show(str(size), rows, found["machine"])
        write(options.json, found)
    if options.scores:
        found["scores"] = {name: [score(name, seed, device) for seed in range(3)] for name in ("before", "today")}
        print(json.dumps(found["scores"]))
        write(options.json, found)


def write(path: Path | None, found: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(found, indent=1) + "\n")


def measure(size: Size, device: torch.device, options: argparse.Namespace, *, compiled: bool) -> dict[str, Any]:
    batch = batch_of(size)
    steps = {
        "before": Trained(size, device, before, bfloat16=False).on(batch),
        "today, float32": Trained(size, device, today, bfloat16=False).on(batch),
        "today": Trained(size, device, today, bfloat16=True).on(batch),
        "bare": Trained(size, device, bare, bfloat16=True).on(batch),
    }
    if device.type == "cuda":
        steps["today, batches from the host"] = Trained(size, device, today, bfloat16=True).on(batch, staged=False)
    if compiled:
        mode = "reduce-overhead" if device.type == "cuda" else None  # CUDA graphs
        steps["today, compiled"] = Trained(size, device, today, bfloat16=True, compiled=mode or "default").on(batch)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    first: dict[str, float] = {}
    for repeat in range(options.warmup + options.repeats):
        for name, step in list(steps.items()):
            try:
                elapsed = timed(step, device)
            except Exception as error:  # a compiler that is not there, say: the other rows count all the same
                print(f"{size}: {name}: {type(error).__name__}: {str(error).splitlines()[0][:200]}", file=sys.stderr)
                del steps[name], seconds[name]
                continue
            first.setdefault(name, elapsed)
            if repeat >= options.warmup:
                seconds[name].append(elapsed)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        name: {
            "ms": 1000 * medians[name],
            "times_as_fast_as_before": medians["before"] / medians[name],
            "of_bare": medians[name] / medians["bare"],
            "first_s": first[name],
        }
        for name in medians
    }


Step = Callable[[nn.Module, Batch, Any], StepResult]


class Trained:
    """A network in training, and how its steps are made."""

    def __init__(
        self, size: Size, device: torch.device, step: Step, *, bfloat16: bool, compiled: str = "", seed: int = 0
    ) -> None:
        torch.manual_seed(seed)
        network = build_network(size.extractor, 3, CLUSTERS, 1, size.width)
        if step is before and size.extractor == "dictionary":
            network.extractor.__class__ = _DictionaryBefore
        self.layout = torch.channels_last if bfloat16 else torch.contiguous_format
        self.network = network.to(device).to(memory_format=self.layout)
        kind = torch.optim.AdamW if size.extractor == "dictionary" else torch.optim.Adam
        fused = True if device.type == "cuda" and step is not before else None
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = kind(trained, lr=1e-3, fused=fused)
        self.forward = torch.compile(self.network, mode=compiled) if compiled else self.network
        self.device, self.step, self.bfloat16, self.size = device, step, bfloat16, size

    def on(self, batch: Batch, *, staged: bool = True) -> Callable[[], None]:
        """A step on a batch that lies on the device, or comes from the host each time."""
        if staged:
            batch = self.placed(batch)
        elif self.device.type == "cuda":
            batch = Batch(*(None if tensor is None else tensor.pin_memory() for tensor in batch))
        return lambda: self.train(batch if staged else self.placed(batch))

    def placed(self, batch: Batch) -> Batch:
        moved = Batch(*(None if tensor is None else tensor.to(self.device, non_blocking=True) for tensor in batch))
        return moved._replace(images=moved.images.contiguous(memory_format=self.layout))

    def train(self, batch: Batch) -> None:
        self.optimizer.zero_grad()
        with self.autocast():
            result = self.step(self.forward, batch, settings(self.size))
        result.losses[0].backward()
        self.optimizer.step()

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)


def today(network: nn.Module, batch: Batch, recipe: Any) -> StepResult:
    """What `fit` does: of discovered targets, one pixel in four counts."""
    return training_step(network, batch, recipe, origin=None if batch.targets is None else (1, 0))


def before(network: nn.Module, batch: Batch, recipe: Any) -> StepResult:
    """The step before it was made faster."""
    (logits,) = network(batch.images)
    if batch.targets is None:
        labels = refine(logits.detach().argmax(dim=1), batch.regions, batch.valid)
    else:
        labels = batch.targets[:, 0]
    weights = class_weights(labels, recipe.clusters, recipe.class_weights, batch.valid)
    masked = labels.masked_fill(~batch.valid, -100)
    loss = functional.cross_entropy(logits, masked, weights) if batch.valid.any() else logits.sum() * 0
    return StepResult((loss,), (labels,), batch.valid)


def bare(network: nn.Module, batch: Batch, recipe: Any) -> StepResult:
    """No vote and no weights; the labels are given."""
    if batch.targets is None:
        (logits,), labels = network(batch.images), (batch.regions % CLUSTERS).long()
    else:
        (logits,), labels = network(batch.images, (1, 0)), batch.targets[:, 0, 1::2, ::2]
    pixels = logits.float().movedim(1, -1).flatten(0, -2)  # as is, nothing of it is copied
    return StepResult((functional.cross_entropy(pixels, labels.flatten()),), (labels,), batch.valid)


class _DictionaryBefore(DictionaryUnet):
    """Everything joined at full resolution."""

    def forward(self, images: Tensor) -> Tensor:
        rows, columns = (torch.arange(side, device=images.device) for side in images.shape[-2:])
        whole = images[..., rows, :][..., columns]
        halved = half_resolution(whole)
        with torch.no_grad():
            fine, coarse = (
                dictionary_responses(part, filters)
                for part, filters in ((whole, self.fine_filters), (halved, self.coarse_filters))
            )
        first = self.encode_1(torch.cat([halved, coarse], dim=1))
        second = self.encode_2(functional.avg_pool2d(first, 2))
        third = self.encode_3(functional.avg_pool2d(second, 2))
        second = self.decode_2(torch.cat([second, _doubled(third)], dim=1))
        first = self.decode_1(torch.cat([first, _doubled(second)], dim=1))
        return self.join(torch.cat([whole, fine, _doubled(first)], dim=1))


def _doubled(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


def batch_of(size: Size, seed: int = 0) -> Batch:
    """Smooth fields with noise, regions of 10 x 10 px, and for the dictionary targets that follow them."""
    generator = torch.Generator().manual_seed(seed)
    count, side = size.count, size.side
    coarse = torch.rand(count, 3, side // 8, side // 8, generator=generator)
    images = functional.interpolate(coarse, size=(side, side), mode="bilinear")
    images = (images + 0.1 * torch.rand(count, 3, side, side, generator=generator)).clamp(0, 1)
    cells = torch.arange(side) // 10
    regions = (cells[:, None] * (-(-side // 10)) + cells).int().expand(count, -1, -1).contiguous()
    targets = None
    if size.extractor == "dictionary":
        of_region = torch.randint(CLUSTERS, (count, int(regions.max()) + 1), generator=generator)
        targets = of_region.gather(1, regions.flatten(1).long()).view(count, 1, side, side)
    return Batch(images, regions, torch.ones(count, side, side, dtype=torch.bool), targets)


def score(name: str, seed: int, device: torch.device, steps: int = 60) -> float:
    """Accuracy, per cent, on a generated town after training on another one whose classes are given."""
    from terrasift.data.synthetic import synthetic_scene

    size = Size("dictionary", 16, 8, 96)
    step = before if name == "before" else today
    trained = Trained(size, device, step, bfloat16=name != "before", seed=seed)
    town, other = (synthetic_scene(600, 600, seed=number) for number in (10 + seed, 20 + seed))
    generator = torch.Generator().manual_seed(seed)
    image, labels = torch.from_numpy(town.image).permute(2, 0, 1) / 255, torch.from_numpy(town.labels).long()
    for _ in range(steps):
        places = torch.randint(600 - size.side, (size.count, 2), generator=generator).tolist()
        cut = [(slice(row, row + size.side), slice(column, column + size.side)) for row, column in places]
        images, targets = (torch.stack([part[..., *at] for at in cut]) for part in (image, labels))
        trained.train(trained.placed(batch_of(size)._replace(images=images, targets=targets[:, None])))
    with torch.no_grad(), trained.autocast():
        seen = torch.from_numpy(other.image).permute(2, 0, 1)[None] / 255
        predicted = trained.network.eval()(seen.to(device).contiguous(memory_format=trained.layout))[0].argmax(1)
    return 100 * float((predicted[0].cpu() == torch.from_numpy(other.labels)).float().mean())


def timed(step: Callable[[], None], device: torch.device) -> float:
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    now = time.process_time if alone else time.perf_counter
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = now()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return now() - start


def machine(device: torch.device) -> dict[str, Any]:
    on_card = device.type == "cuda"
    name = torch.cuda.get_device_name() if on_card else f"{torch.get_num_threads()} of {os.cpu_count()} CPU core(s)"
    return {"device": name, "platform": platform.platform(), "torch": torch.__version__, "commit": commit()}


def commit() -> str:
    asked = ["git", "-C", str(SOURCE), "rev-parse", "--short", "HEAD"]
    with contextlib.suppress(OSError):
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return ""


def show(title: str, rows: dict[str, Any], where: dict[str, Any]) -> None:
    table = Table("step", "median ms", "times as fast as before", "of a bare step", "first, s", title=title)
    for name, row in rows.items():
        table.add_row(name, f"{row['ms']:.1f}", f"{row['times_as_fast_as_before']:.2f}", f"{row['of_bare']:.3f}",
                      f"{row['first_s']:.1f}")  # fmt: skip
    table.caption = ", ".join(str(value) for value in where.values())
    Console(width=120).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="'EXTRACTOR WIDTH COUNTxSIDE'")
    parser.add_argument("--repeats", type=int, help="default: 3 on a CPU, 20 on a GPU")
    parser.add_argument("--warmup", type=int, help="default: 1 on a CPU, 5 on a GPU")
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, help="a compiled one too; default: on a GPU"
    )
    parser.add_argument("--scores", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    on_card = options.device.startswith("cuda")
    options.repeats = options.repeats or (20 if on_card else 3)
    options.warmup = options.warmup or (5 if on_card else 1)
    options.compile = on_card if options.compile is None else options.compile
    assert all(Size.parse(text).extractor in EXTRACTORS for text in options.sizes)
    return options


if __name__ == "__main__":
    main()
