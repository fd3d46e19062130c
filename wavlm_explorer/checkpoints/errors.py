"""What goes wrong with checkpoints."""


class CheckpointError(ValueError):
    """A file that is no WavLM checkpoint, or not wholly one. The message says what was expected, found, and to do."""
