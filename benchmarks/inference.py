"""How fast a trained run maps a scene on a CPU: the ways that `predict.speed` offers, and what else could be used.

Windows of a scene go through the network, one at a time, its context frozen. In each round every way computes the same
window, so that what slows one down slows all; each is given by its best round, because other work only ever adds time.
On one thread times are processor times, on more they are those of the clock. Then the labels of all these windows are
compared with those of the network as it was trained. ONNX Runtime and OpenVINO are measured where they are installed.

    python benchmarks/inference.py --run runs/wide runs/narrow --scene scene.tif --json inference.json
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from terrasift import Recipe, Run
from terrasift.blocks.context import SampleWindow
from terrasift.prediction.acceleration import accelerated
from terrasift.prediction.tensors import TensorReader
from terrasift.raster import Raster, Window

Forward = Callable[[Tensor], "list[Tensor]"]
Labels = Callable[[Tensor], Tensor]


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    warnings.filterwarnings("ignore")  # of exporters
    rows = []
    for run in options.run:
        rows += measured(run, options)
        if options.json:
            options.json.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    show(rows, options)


def measured(run: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    recipe = Run(run).recipe
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(False), torch.no_grad():
        network, windows = opened(run, options.scene, options.window)
        ways = dict(available(network, windows[0], options.threads, Path(folder)))
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        found: dict[str, list[Tensor]] = {name: [] for name in ways}
        for index in range(options.rounds):
            for name, (forward, labels) in ways.items():
                image = windows[index % len(windows)]
                start = _now(options.threads)
                maps = [labels(logits) for logits in forward(image)]
                seconds[name].append(_now(options.threads) - start)
                if index < len(windows):
                    found[name].append(torch.stack(maps))
                print(f"{run}, round {index + 1}, {name}: {seconds[name][-1]:.2f} s", file=sys.stderr, flush=True)
    plain = min(seconds["plain"])
    return [
        {
            "network": _name(recipe), "way": name, "mpx_per_second": round(options.window**2 / 1e6 / min(times), 4),
            "ratio": round(plain / min(times), 3), "equal_labels": _equal(found[name], found["plain"]),
            "threads": options.threads, "window": options.window, "cpu": cpu(),
        }
        for name, times in seconds.items()
    ]  # fmt: skip


def opened(run: Path, scene: Path, side: int) -> tuple[nn.Module, list[Tensor]]:
    """The network with the scene's context frozen, and windows in a diagonal over the scene."""
    recipe = Run(run).recipe
    reader = TensorReader(recipe, torch.device("cpu"))
    with Raster(scene) as raster:
        height, width = raster.info.height, raster.info.width
        corners = [((height - side) * part // 2, (width - side) * part // 2) for part in range(3)]
        windows = [reader.window(raster, Window(row, column, side, side))[0] for row, column in corners]
    sample = [SampleWindow(windows[1], torch.ones(1, side, side, dtype=torch.bool))]  # enough to compare speeds
    return Run(run).load_network().frozen(lambda: sample), windows


def available(
    network: nn.Module, image: Tensor, threads: int, folder: Path
) -> Iterator[tuple[str, tuple[Forward, Labels]]]:
    """Name of a way -> its network, and how it finds the largest logit."""
    fast = accelerated(network, "fast")
    yield "plain", (network, lambda logits: logits.argmax(1))
    yield "plain, max", (network, _by_max)
    yield "channels last", (_ChannelsLast(copy.deepcopy(network)), _by_max)
    yield "normalisation folded", (_folded(network), _by_max)
    yield "both", (_ChannelsLast(_folded(network)), _by_max)
    yield "fast", (fast, _by_max)
    yield "fast, NumPy argmax", (fast, _by_numpy)
    yield "both in bfloat16", (_ChannelsLast(_folded(network), torch.bfloat16), _by_max)
    yield "bfloat16", (accelerated(network, "bfloat16"), _by_max)
    others = {
        "torch.compile": _compiled,
        "ONNX Runtime": _onnx_runtime,
        "OpenVINO": _openvino,
        "OpenVINO in bfloat16": _openvino_bfloat16,
    }
    for name, make in others.items():
        try:
            forward = make(network, image, threads, folder)
            forward(image)
        except Exception as error:  # whatever another library raises: the others are measured all the same
            print(f"{name}: left out, {str(error).strip().splitlines()[0][:100]}", file=sys.stderr)
        else:
            yield name, (forward, _by_max)


class _ChannelsLast(nn.Module):
    def __init__(self, network: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network = network.to(dtype).to(memory_format=torch.channels_last)
        self.dtype = dtype

    def forward(self, images: Tensor) -> list[Tensor]:
        return list(self.network(images.to(self.dtype, memory_format=torch.channels_last)))


def _folded(network: nn.Module) -> nn.Module:
    network = copy.deepcopy(network)
    for chain in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(chain) - 1):
            if isinstance(chain[index], nn.Conv2d) and isinstance(chain[index + 1], nn.BatchNorm2d):
                chain[index], chain[index + 1] = fuse_conv_bn_eval(chain[index], chain[index + 1]), nn.Identity()
    return network


def _compiled(network: nn.Module, image: Tensor, threads: int, folder: Path) -> Forward:
    return torch.compile(_ChannelsLast(_folded(network)))  # type: ignore[return-value]  # needs a C++ compiler


def _onnx_runtime(network: nn.Module, image: Tensor, threads: int, folder: Path) -> Forward:
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(_exported(network, image, folder)), settings)
    name = session.get_inputs()[0].name
    return lambda images: [torch.from_numpy(found) for found in session.run(None, {name: images.numpy()})]


def _openvino(network: nn.Module, image: Tensor, threads: int, folder: Path, precision: str = "f32") -> Forward:
    import openvino

    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
    model = openvino.Core().compile_model(str(_exported(network, image, folder)), "CPU", settings)
    return lambda images: [torch.from_numpy(found.copy()) for found in model(images.numpy()).values()]


def _openvino_bfloat16(network: nn.Module, image: Tensor, threads: int, folder: Path) -> Forward:
    return _openvino(network, image, threads, folder, "bf16")


def _exported(network: nn.Module, image: Tensor, folder: Path) -> Path:
    path = folder / "network.onnx"
    if not path.exists():
        torch.onnx.export(network, (image,), str(path), dynamo=True, external_data=False, verbose=False)
    return path


def _by_max(logits: Tensor) -> Tensor:
    return logits.max(1).indices


def _by_numpy(logits: Tensor) -> Tensor:
    return torch.from_numpy(np.argmax(logits.permute(0, 2, 3, 1).numpy(), axis=3))


def _equal(labels: list[Tensor], plain: list[Tensor]) -> float:
    """Share over all classifiers and windows."""
    return float((torch.stack(labels) == torch.stack(plain)).double().mean())


def _now(threads: int) -> float:
    return time.process_time() if threads == 1 else time.perf_counter()


def _name(recipe: Recipe) -> str:
    width = f"width {recipe.width}, " if recipe.width else ""
    return f"{recipe.extractor}, {width}K = {recipe.clusters}, {recipe.classifiers} classifiers"


def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = {line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")}
    with_bfloat16 = ", avx512_bf16" if any("avx512_bf16" in line for line in lines) else ""
    return (", ".join(sorted(names)) or platform.machine()) + with_bfloat16


def show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    clock = "processor time" if options.threads == 1 else "time of the clock"
    title = f"windows of {options.window} px, {options.threads} thread(s), {clock}, on {cpu()}"
    table = Table("network", "way", "Mpx/s", "times plain", "equal labels, %", title=title)
    for row in rows:
        cells = (f"{row['mpx_per_second']:.3f}", f"{row['ratio']:.2f}", f"{100 * row['equal_labels']:.4f}")
        table.add_row(row["network"], row["way"], *cells)
    Console(width=140).print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, nargs="+", required=True, help="trained runs")
    parser.add_argument("--scene", type=Path, required=True, help="an image with the bands they read")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
