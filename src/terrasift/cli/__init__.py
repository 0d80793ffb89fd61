"""The command line: a file a command, no logic."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from terrasift.cli import (
    assess,
    demo,
    evaluate,
    export,
    info,
    legend,
    predict,
    prepare,
    score,
    study,
    teach,
    train,
    view,
)
from terrasift.cli.speaking import spoken
from terrasift.cli.voice import Voice

__all__ = ["app", "main"]

_ORDER = (
    "demo",
    "train",
    "predict",
    "evaluate",
    "score",
    "study",
    "prepare",
    "legend",
    "teach",
    "assess",
    "view",
    "export",
    "info",
)


class _InOrder(TyperGroup):
    """Lists commands in the order in which they were added, those with commands of their own among them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for name in _ORDER if name in self.commands]


app = typer.Typer(
    name="terrasift",
    cls=_InOrder,
    help="Sift land-cover classes out of aerial and satellite imagery that nobody has labelled.",
    epilog="Start with: terrasift demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"terrasift {version('terrasift')}")
        raise typer.Exit


@app.callback()
def _before(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


for _module in (demo, train, predict, evaluate, score, prepare, legend, teach, view, export, info):
    app.command(_module.__name__.rpartition(".")[2], epilog=_module.EXAMPLE)(spoken(_module.command))
app.add_typer(study.app, name="study")
app.add_typer(assess.app, name="assess")

_WRONG_USAGE: Any = typer.BadParameter.__mro__[2]  # click's ClickException: typer brings it, and does not export it


def main() -> None:
    """Run a command: exit code 0, or 2 with one line that says what is wrong, where, and the mend."""
    voice = Voice()
    with voice.speaking():
        try:
            Path.cwd()
            code = app(standalone_mode=False, obj=voice)
        except FileNotFoundError:  # of commands it does not come this far
            voice.fail("the working folder has been deleted; go to another one")
            code = 2
        except _WRONG_USAGE as error:
            if voice.progress_as == "json":
                voice.fail(error.format_message())
            else:
                error.show()
            code = error.exit_code
    sys.exit(code)
