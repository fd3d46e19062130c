"""A trace on the way: on every device, in many threads, with progress, stopped, and refused where it does not fit."""

import copy
import threading

import psutil
import pytest
import torch
from models import make_audio, make_model

from wavlm_explorer.devices import available_devices
from wavlm_explorer.operations import count_operations
from wavlm_explorer.tracing import trace


@pytest.mark.parametrize("device", available_devices())
def test_every_device_gives_the_cpu_s_numbers(tiny_trace, device):
    elsewhere = trace(copy.deepcopy(tiny_trace.model).to(device), tiny_trace.audio)
    assert elsewhere.output.device.type == "cpu"
    torch.testing.assert_close(elsewhere.output, tiny_trace.output, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(elsewhere.attention(2), tiny_trace.attention(2), atol=1e-3, rtol=1e-3)


def test_progress_is_reported_to_the_end_also_within_a_layer():
    shares = []
    model = make_model()
    trace(model, make_audio(seconds=6.0), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    operations = count_operations(model.config, 96_000)
    of_layers = 1 - model.config.encoder_layers * operations.layer / operations.total
    assert sum(share < of_layers for share in shares) == 3, "299 frames are three chunks"


def test_what_progress_raises_stops_the_pass_at_once(monkeypatch):
    seen = []

    def stop(share: float) -> None:
        seen.append(share)
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace(make_model(), make_audio(), progress=stop)
    assert seen[-1] > 0.5 > max(seen[:-1], default=0)


def test_a_model_in_training_mode_is_refused():
    with pytest.raises(ValueError, match=r"model\.eval\(\)"):
        trace(make_model().train(), make_audio())


def test_what_does_not_fit_in_memory_is_refused_with_its_size(tiny_trace, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 1000}))
    with pytest.raises(MemoryError, match=r"3 heads x 39 queries x 39 keys need about .* Ask for fewer heads"):
        tiny_trace.attention(0)


def test_many_threads_share_one_model_without_mixing():
    model = make_model()
    sounds = [make_audio(0.3 + 0.1 * index, seed=index) for index in range(6)]
    expected = [trace(model, sound).attention(2) for sound in sounds]
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    wrong = []

    def check(index: int) -> None:
        seen = [trace(model, sounds[index]).attention(2) for _ in range(10)]
        wrong.extend(index for weights in seen if not torch.equal(weights, expected[index]))

    threads = [threading.Thread(target=check, args=(index,)) for index in range(len(sounds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_pass_that_does_not_fit_is_refused_before_it_starts(tiny_trace, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 10_000}))
    for ask in (lambda: trace(make_model(), make_audio()), lambda: tiny_trace.feed_forward_input(0)):
        with pytest.raises(MemoryError, match=r"0\.8 s of sound, 39 frames .* Choose a shorter part"):
            ask()
