"""The palettes as a canvas needs them."""

import matplotlib

from ...figures.style import DARK, LIGHT, Palette

COLOUR_MAPS = ("weights", "signed", "sound")
PLAIN_COLOURS = ("background", "ink", "muted", "line", "accent", "contrast")


def palettes_for_browser() -> dict[str, dict[str, str]]:
    """Both themes: plain colours, and each colour map as 256 x "rrggbb"."""
    return {"light": _colours(LIGHT), "dark": _colours(DARK)}


def _colours(palette: Palette) -> dict[str, str]:
    maps = {name: matplotlib.colormaps[getattr(palette, name)] for name in COLOUR_MAPS}
    tables = {name: (cmap(range(256), bytes=True)[:, :3]).tobytes().hex() for name, cmap in maps.items()}
    return {name: getattr(palette, name) for name in PLAIN_COLOURS} | tables
