"""Every command says what it does, how it ends, and what went wrong in the same way."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer

from terrasift.cli.outcome import Outcome
from terrasift.cli.voice import ProgressAs, Voice
from terrasift.errors import TerrasiftError

__all__ = ["spoken"]


def _set_progress(context: typer.Context, value: ProgressAs) -> ProgressAs:
    context.ensure_object(Voice).progress_as = value
    return value


_JSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON, for programs.")]
_PROGRESS = Annotated[
    ProgressAs,
    typer.Option(
        "--progress",
        help="On standard error: bars in a terminal, else lines (auto); or JSON lines, for programs.",
        is_eager=True,  # so that what is wrong with the other options is said in this way too
        callback=_set_progress,
    ),
]


def spoken(command: Callable[..., Outcome | None]) -> Callable[..., None]:
    """A command that prints the outcome it returns, with the options `--json` and `--progress` beside its own.

    Whatever it raises that the user can mend ends it with exit code 2 and one line; an interrupt with exit code 130.
    """
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def speak(context: typer.Context, as_json: bool, progress_as: ProgressAs, **given: Any) -> None:
        voice = context.ensure_object(Voice)
        try:
            with voice.telling():
                outcome = command(**given)
        except KeyboardInterrupt:
            voice.fail(f"interrupted; {_GO_ON if 'resume' in given else _AGAIN}")
            raise typer.Exit(130) from None
        except TerrasiftError as error:
            voice.fail(_in_options(error, context))
            raise typer.Exit(2) from error
        except OSError as error:  # a full disk, a folder that may not be written
            voice.fail(f"{error.filename or 'disk'}: {error.strerror or error}")
            raise typer.Exit(2) from error
        if outcome is None:
            return
        if as_json:
            typer.echo(outcome.to_json())
        else:
            outcome.print()
        voice.fail(*outcome.failures)
        raise typer.Exit(2 if outcome.failures else 0)

    speak.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *_ADDED])  # type: ignore[attr-defined]
    speak.__annotations__ = {name: entry.annotation for name, entry in speak.__signature__.parameters.items()}  # type: ignore[attr-defined]
    return speak


def _in_options(error: TerrasiftError, context: typer.Context) -> str:
    r"""What is wrong, in the words of the command: the library speaks of its functions' parameters.

    ``\`resume=True\``` becomes ``--resume``, ``\`cache\``` becomes ``--cache``, and a recipe's key ``--set KEY=VALUE``.
    """
    options = {entry.name: max(entry.opts, key=len) for entry in context.command.params}
    options = {name: option for name, option in options.items() if option.startswith("--")}

    def in_option(found: re.Match[str]) -> str:
        name, value = found.groups()
        if name in options:
            return options[name] if value in (None, "True") else f"{options[name]} {value}"
        return found[0] if value is None else f"--set {name}={value}"

    where = options.get(error.where, error.where)
    return str(TerrasiftError(where, *(re.sub(_PARAMETER, in_option, text) for text in (error.what, error.mend))))


_PARAMETER = r"`([a-z_][\w.]*)(?:=([^`]*))?`"

_ADDED = (
    inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
    inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, annotation=_JSON, default=False),
    inspect.Parameter("progress_as", inspect.Parameter.KEYWORD_ONLY, annotation=_PROGRESS, default="auto"),
)
_GO_ON = "go on with the same command and --resume"
_AGAIN = "give the same command again"
