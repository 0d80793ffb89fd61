"""The house stays as it was laid: floors, public names, what must not arrive."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import terrasift
from terrasift import Run

SOURCE = Path(terrasift.__file__).parent

# Ground floor first: a room imports only rooms below it.
FLOORS = [
    "errors",
    "files",
    "notebook",
    "progress",
    "workers",
    "legend",
    "raster",
    "machine",
    "metrics",
    "blocks",
    "network",
    "recipe",
    "recipes",
    "run",
    "data",
    "discovery",
    "training",
    "mapping",
    "prediction",
    "exporting",
    "clusters",
    "evaluation",
    "scoring",
    "teaching",
    "assessment",
    "baselines",
    "opened",
    "report",
    "api",
    "study",
    "demo",
    "assess",
    "viewer",
    "cli",
]

PUBLIC = [
    "ClassMap",
    "ConfusionMatrix",
    "Discovery",
    "InputError",
    "LandClass",
    "Legend",
    "MapOptions",
    "Network",
    "Recipe",
    "Run",
    "RunError",
    "Scaling",
    "SettingError",
    "TerrasiftError",
    "assess",
    "boundary_displacement_error",
    "build_network",
    "confusion_matrix",
    "continuity_loss",
    "discover",
    "external_segmentation",
    "extract_features",
    "global_consistency_error",
    "listening",
    "mumford_shah_loss",
    "probabilistic_rand_index",
    "quiet",
    "refine",
    "segmentation_covering",
    "segmentation_scores",
    "superpixels",
    "train",
    "variation_of_information",
    "weighted_cross_entropy",
]


def modules() -> list[str]:
    return [module.name for module in pkgutil.walk_packages([str(SOURCE)], "terrasift.")]


def room(module: str) -> str:
    return module.split(".")[1]


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.module != "terrasift" else [f"terrasift.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {room(name) for name in names if name.startswith("terrasift.")}
    return found


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    if parts[0] in ("__init__", "__main__"):
        return
    floor = FLOORS.index(parts[0])
    assert not {name for name in imported_rooms(path) if FLOORS.index(name) > floor}


def test_the_folders_of_tests_are_those_of_the_source() -> None:
    tests = Path(__file__).parent
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    apart = {Path("fuzz"), Path("survival"), Path("qgis")}  # of all readers; of all that writes; of the plugin
    assert [str(folder) for folder in folders - apart if not (SOURCE / folder).is_dir()] == []


def test_only_raster_touches_rasterio() -> None:
    users = [
        path
        for path in SOURCE.rglob("*.py")
        if "import rasterio" in path.read_text() or "from rasterio" in path.read_text()
    ]
    assert {path.relative_to(SOURCE).parts[0] for path in users} == {"raster"}


def test_public_names_are_the_checked_in_list() -> None:
    assert sorted(terrasift.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(terrasift, name).__doc__


@pytest.mark.parametrize("module", modules())
def test_every_module_imports_and_lists_what_exists(module: str) -> None:
    if module == "terrasift.__main__":
        return
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", []):
        assert hasattr(loaded, name)


def test_torchvision_is_absent() -> None:
    assert importlib.util.find_spec("torchvision") is None


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


HEAVY = ("torch", "numpy", "pandas", "rasterio", "scipy", "skimage", "sklearn", "cv2", "lightning_fabric", "matplotlib")


@pytest.mark.parametrize(
    ("arguments", "allowed", "most"),
    [
        (["--help"], (), 700),
        (["predict", "--help"], (), 700),
        (["info", "default"], ("numpy", "rasterio"), 1100),
        (["info", "RUN"], ("numpy", "rasterio"), 1100),
        (["legend", "RUN"], ("numpy",), 900),
        (["legend", "RUN", "--name", "0=road"], None, None),
    ],
    ids=["help", "predict --help", "info recipe", "info run", "legend", "legend --name"],
)
def test_a_command_imports_what_it_needs_and_no_more(
    tmp_path: Path, tiny_run: Run, arguments: list[str], allowed: tuple[str, ...] | None, most: int | None
) -> None:
    """PyTorch takes seconds to import: only what computes does so. The number of modules keeps the rest small."""
    run = shutil.copytree(tiny_run.path, tmp_path / "run")
    arguments = [str(run) if argument == "RUN" else argument for argument in arguments]
    code = (
        f"import sys; sys.argv = ['terrasift', *{arguments}]\n"
        "from terrasift.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print(len(sys.modules), *[name for name in {HEAVY} if name in sys.modules])"
    )
    count, *heavy = run_python(code).splitlines()[-1].split()
    if allowed is None or most is None:
        assert "torch" in heavy  # the report is written anew, with pictures of what the network says
    else:
        assert set(heavy) <= set(allowed)
        assert int(count) <= most


def test_the_page_imports_pytorch_but_nothing_that_trains() -> None:
    not_needed = set(HEAVY) - {"torch", "numpy", "rasterio", "cv2"}
    code = f"import sys, terrasift.viewer.serving\nprint(*({not_needed!r} & sys.modules.keys()))"
    assert not run_python(code).split()


def test_the_extractors_named_without_importing_them_are_those_that_there_are() -> None:
    from terrasift.blocks.choices import BUILT_IN_EXTRACTORS
    from terrasift.blocks.extractors import EXTRACTORS

    assert set(BUILT_IN_EXTRACTORS) <= set(EXTRACTORS)


def test_training_core_imports_without_gdal() -> None:
    code = (
        "import sys\nfor name in ('rasterio', 'kornia'): sys.modules[name] = None\n"
        "import terrasift.training, terrasift.network, terrasift.metrics\n"
        "import terrasift.blocks.superpixels, terrasift.blocks.losses, terrasift.blocks.refinement\nprint('fine')"
    )
    assert run_python(code).strip() == "fine"
