"""What the page is sent, and where its numbers come from."""

import numpy as np

from benchmarks.start import time_imports, wav
from benchmarks.timing import make_clip
from wavlm_explorer import load_audio


def test_the_clip_that_is_uploaded_is_one_that_the_page_reads():
    samples = make_clip(0.5)
    assert abs(float(samples.mean())) < 1e-6
    assert abs(float(samples.std()) - 1) < 1e-6
    np.testing.assert_allclose(load_audio(wav(samples)).samples, 0.1 * samples, atol=1e-4)


def test_imports_are_timed_in_interpreters_of_their_own(monkeypatch):
    pause = "import time; assert 'torch' not in __import__('sys').modules; time.sleep(0.2)"
    monkeypatch.setattr("benchmarks.start.IMPORTS", {"pause": pause})
    (first, second) = time_imports(2)["pause"]
    assert min(first, second) >= 0.2
