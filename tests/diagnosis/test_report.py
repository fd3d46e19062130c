"""The report's forms: JSON for scripts, a page for readers, and the table of checks in the documentation."""

import dataclasses
import json
import re
from pathlib import Path

import jsonschema
import pytest
import torch

from wavlm_explorer.checkpoints import load_model
from wavlm_explorer.diagnosis import doctor
from wavlm_explorer.diagnosis.catalogue import table
from wavlm_explorer.diagnosis.examination import all_checks

DOCUMENTATION = Path(__file__).parents[2] / "docs/doctor.md"
TEXT = {"type": "string"}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["schema", "name", "ok", "exit_code", "summary", "facts", "findings", "checks"],
    "properties": {
        "schema": {"const": 1},
        "name": TEXT,
        "ok": {"type": "boolean"},
        "exit_code": {"enum": [0, 1, 2]},
        "summary": TEXT,
        "facts": {"type": "object", "additionalProperties": TEXT},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["severity", "check", "where", "found", "advice"],
                "properties": {
                    "severity": {"enum": ["note", "warning", "error"]},
                    **dict.fromkeys(("check", "where", "found", "advice"), TEXT),
                },
            },
        },
        "checks": {
            "type": "array",
            "minItems": 50,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["check", "family", "looks_at", "outcome", "reason"],
                "properties": {
                    "outcome": {"enum": ["ok", "found", "not applicable"]},
                    **dict.fromkeys(("check", "family", "looks_at", "reason"), TEXT),
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def damaged():
    model = load_model("nano", device="cpu")
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state["encoder.layers.0.<script>alert(1)</script>"] = torch.ones(3)
    state["encoder.layers.1.fc2.weight"][0] = torch.nan
    return doctor({"cfg": dataclasses.asdict(model.config), "model": state})


def test_the_json_keeps_to_its_schema(damaged):
    for report in (damaged, doctor("nano"), doctor(b"nonsense")):
        content = json.loads(report.to_json())
        jsonschema.validate(content, SCHEMA)
        assert content["exit_code"] == report.exit_code


def test_the_worst_comes_first(damaged):
    ranks = [("error", "warning", "note").index(finding.severity) for finding in damaged.findings]
    assert ranks == sorted(ranks)
    assert damaged.exit_code == 2


def test_the_page_is_one_file_and_takes_names_for_text(damaged):
    page = damaged.to_html()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert not re.search(r"""(src|href|srcset)=["'](?!data:)""", page)
    assert page.count("<figure") >= 3


def test_a_healthy_page_has_every_picture():
    page = doctor("nano").to_html()
    assert page.count("<figure") == 6
    assert page.count("prefers-color-scheme: dark") == 7  # the styles, and a dark version of each picture


def test_every_check_is_documented():
    checks = list(all_checks())
    names = [check.name for _, check in checks]
    assert len(names) == len(set(names)) > 50
    for _, check in checks:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.name)
        assert check.looks_at.endswith((".", ":")), check.name
    assert table() in DOCUMENTATION.read_text("utf-8")
