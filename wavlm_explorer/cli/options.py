"""Options that several commands have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ..audio import Audio

CHECKPOINT_HELP = "A file, a folder, a Hugging Face id, or nano, base, base-plus, large."
CheckpointArgument = Annotated[str, typer.Argument(help=CHECKPOINT_HELP, metavar="CHECKPOINT")]
AudioOption = Annotated[
    Path | None, typer.Option("--audio", help="The clip to run it on.", metavar="CLIP", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", help="Also write one self-contained page with pictures.", metavar="OUT", show_default=False),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="Set a field of the config, whatever the file says. May be repeated.", metavar="FIELD=VALUE",
        show_default=False,
    ),
]  # fmt: skip
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
MAX_SECONDS = 60.0  # of a clip, where no part of it is asked for


def read_settings(settings: list[str] | None) -> dict[str, Any]:
    """Turn ["normalize=true", "max_distance=800"] into fields of the config, of their types.

    Raises: ValueError for what is no field, or no value of its type.
    """
    from ..config import FIELD_NAMES, WavLMConfig

    defaults, fields = WavLMConfig(), {}
    for setting in settings or ():
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals or name not in FIELD_NAMES:
            raise ValueError(f"--set {setting}: expected FIELD=VALUE with one of {', '.join(FIELD_NAMES)}")
        kind = type(getattr(defaults, name))
        try:
            fields[name] = TRUTH[text.lower()] if kind is bool else kind(text)
        except (KeyError, ValueError):
            expected = (
                "true or false" if kind is bool else {"int": "a whole number", "float": "a number"}[kind.__name__]
            )
            raise ValueError(f"--set {name}: expected {expected}; found {text!r}") from None
    return fields


def read_clip(path: Path | None) -> "Audio | None":
    """Read the clip that was asked for, its first minute at most.

    Raises: as `load_audio`.
    """
    from ..audio import load_audio

    return None if path is None else load_audio(path, duration=MAX_SECONDS)
