"""The table of all checks for the documentation: `python -m wavlm_explorer.diagnosis.catalogue` prints it."""

from .examination import FAMILIES


def table() -> str:
    """Write every check as a row of a Markdown table: name, severity at worst, what it looks at."""
    rows = ["| check | at worst | what it looks at |", "| --- | --- | --- |"]
    for family, checks in FAMILIES.items():
        rows.append(f"| **{family}** | | |")
        rows += [f"| `{check.name}` | {check.severity} | {check.looks_at} |" for check in checks]
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())
