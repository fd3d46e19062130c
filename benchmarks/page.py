"""docs/performance.md, written from the measurements and from nothing else."""

from . import tables
from .comparison import describe_rates, memory_table, time_table
from .long_clips import LIMIT_BYTES as LONG_LIMIT_BYTES
from .memory import LIMIT_BYTES
from .results import MEMORY, PASSES, Results
from .tables import table
from .targets import judge

PICTURE = "pictures/performance.png"
INTRODUCTION = f"""# Performance

`make bench` writes this page from what it measures; every single number is in
[performance.json](performance.json). `make bench PARTS=long` adds clips of five and ten minutes.

The explorer is held against the Microsoft original (as s3prl ships it), torchaudio's port, and `transformers`: the same
random weights, the same noise, the same number of threads, in one process and in turns; numbers are medians. Before
anything is timed, all must agree on the hidden states. "With attention" means for the explorer the true maps of all
heads of one layer, and for `transformers` each layer's average over its heads, which is all that it has; the other
two have none. On a GPU the explorer's results are brought to the CPU within the time, the others' are not; while times
are taken, nobody uses TF32.

![Time and memory against length]({PICTURE})
"""
NAMES = {"cpu": "CPU", "cuda": "GPU"}
LIMITS = {"cpu": f"{LIMIT_BYTES >> 30} GiB", "cuda": "what the GPU has"}
ANSWERS = {True: "yes", False: "**no**", None: "not measured"}


def write_page(results: Results) -> str:
    """The whole page, in Markdown."""
    sections = [INTRODUCTION, _targets(results), *_times(results), *_memory(results), _long(results), _start(results)]
    return "\n".join(section for section in sections if section)


def _targets(results: Results) -> str:
    rows = [(target.what, target.wanted, target.found, ANSWERS[target.met]) for target in judge(results)]
    return "## Targets\n\nWavLM Base on the CPU.\n\n" + table(("", "wanted", "found", "reached"), rows)


def _times(results: Results) -> list[str]:
    sections = []
    for device, part in PASSES.items():
        for geometry, numbers in results.numbers(part).items():
            medians = results.medians(geometry, device)
            agreement = ", ".join(f"{name} {value:.1g}" for name, value in numbers["agreement"].items())
            sections.append(
                f"## Time of a pass: WavLM {geometry}, {NAMES[device]}\n\n{_measured_on(results, part)} In "
                "brackets: what it is of the fastest peer's time at the same work; for looks at a finished trace, of "
                f"the explorer's pass.\n\n{time_table(medians, geometry)}\n{describe_rates(medians)}\n"
                f"Largest relative difference from the original in the output of any layer: {agreement}.\n"
            )
    return sections


def _memory(results: Results) -> list[str]:
    return [
        f"## Peak memory above the loaded model: WavLM {geometry}, {NAMES[device]}\n\n{_measured_on(results, part)} "
        f"Each in a process of its own that may take {LIMITS[device]} above the model. In brackets: what it is of the "
        f"leanest peer's at the same work.\n\n{memory_table(peaks)}"
        for device, part in MEMORY.items()
        for geometry, peaks in results.numbers(part).items()
    ]


def _long(results: Results) -> str:
    rows: list[tuple[str, ...]] = []
    for length, numbers in results.numbers("long").items():
        rows += [
            (length, stage["stage"], tables.seconds(stage["seconds"]), tables.megabytes(stage["peak"]))
            for stage in numbers["ours"]
        ]
        rows += [
            (length, entry, "", tables.DIED if peak is None else f"{tables.megabytes(peak)} above the model")
            for entry, peak in numbers["peers"].items()
        ]
    if not rows:
        return ""
    return (
        f"## Long clips\n\n{_measured_on(results, 'long')} WavLM Base on the CPU; the explorer may take "
        f"{LONG_LIMIT_BYTES / 1e9:.0f} GB above the model, and its peak includes the model; each peer may take "
        f"{LIMIT_BYTES >> 30} GiB above it.\n\n" + table(("seconds of sound", "", "time", "peak memory"), rows)
    )


def _start(results: Results) -> str:
    numbers = results.numbers("start")
    if not numbers:
        return ""
    rows = [(name, tables.seconds(value)) for name, value in numbers["seconds"].items()]
    rows += [(name, tables.megabytes(value)) for name, value in numbers["bytes"].items()]
    return (
        f"## Start and steady state\n\n{_measured_on(results, 'start')} Imports in fresh interpreters; the page with "
        "the bundled model, in a headless Chromium that has never been there.\n\n" + table(("", ""), rows)
    )


def _measured_on(results: Results, part: str) -> str:
    described = dict(results.parts[part]["machine"])
    day = described.pop("day")
    return f"Measured on {day}: " + ", ".join(f"{name} {value}" for name, value in described.items()) + "."
