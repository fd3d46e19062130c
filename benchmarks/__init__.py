"""Side-by-side runs: the explorer against the other implementations of WavLM, and against itself over time."""
