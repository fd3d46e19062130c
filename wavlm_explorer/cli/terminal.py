"""What all commands share: results go to stdout, progress and trouble to stderr, and no stranger's text is markup."""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

TROUBLE = 2  # exit code for bad usage and for files that cannot be read
PIPED_COLUMNS = 200  # room for every table


def output() -> Console:
    """Return stdout: wrapped and coloured on a terminal; in a pipe plain, one line a sentence or a row."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.soft_wrap = True
        console.width = PIPED_COLUMNS
    return console


def errors() -> Console:
    """Return stderr."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def clean(text: object) -> str:
    """Write what a terminal would obey, or what would reorder a line, as an escape: names in files are a stranger's."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode("ascii")
        for letter in str(text)
    )


def styled(text: object, style: str = "") -> Text:
    """Return cleaned text in one style."""
    return Text(clean(text), style)


def indented(console: Console, text: object, style: str = "") -> Text:
    """Return cleaned text four columns in, on a terminal in lines that fit it."""
    lines = clean(text).splitlines()
    if console.is_terminal:
        lines = [part for line in lines for part in textwrap.wrap(line, max(20, console.width - 4)) or [""]]
    return Text("\n".join(f"    {line}" for line in lines), style)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> Table:
    """Make a table without frames; the columns named in `right` hold numbers."""
    result = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        result.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        result.add_row(*(cell if isinstance(cell, Text) else styled(cell) for cell in row))
    return result


def fail(message: object) -> NoReturn:
    """Say what is wrong and leave with the exit code for trouble."""
    errors().print(Text.assemble(("Error: ", "bold red"), clean(message)))
    raise typer.Exit(TROUBLE)


@contextmanager
def explained() -> Iterator[None]:
    """Turn what files and settings do wrong into a message and an exit code."""
    try:
        yield
    except MemoryError as error:
        fail(error or "There is not enough memory.")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename and error.strerror else error)
    except (ValueError, IndexError) as error:
        fail(error)


@contextmanager
def progress(text: str) -> Iterator[Callable[[float], None]]:
    """Show on stderr, on a terminal only, what is being done; yields what to call with the share done, 0 to 1."""
    console = errors()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)
        yield lambda share: bar.update(task, total=1.0, completed=share)


def write_page(path: Path, page: str) -> None:
    """Write a page and say where."""
    path.write_text(page, encoding="utf-8")
    errors().print(styled(f"Written: {path}"))
