"""The viewer in a real browser: what one hears, by a click, by play and by a finger."""

import numpy as np
import pytest
from playwright.sync_api import expect
from viewing import Viewer
from visitor import Explorer

pytestmark = pytest.mark.browser


def test_a_second_click_plays_the_key(viewer: Viewer):
    for _ in range(2):
        viewer.page.mouse.click(*viewer.at(0.4, 0.3))
    viewer.wait("root => root.store.state.heard !== null && !root.store.state.playing")
    heard = viewer.state("heard")
    assert heard["to"] - heard["from"] == pytest.approx(0.3)
    assert heard["to"] - 0.05 < viewer.state("time") < heard["to"] + 0.5
    expect(viewer.find(".tracks-over .heard")).to_be_visible()


def test_the_playhead_keeps_up_with_the_sound(viewer: Viewer):
    viewer.page.get_by_role("button", name="Loop").click()
    viewer.page.get_by_role("button", name="Play", exact=True).click()
    viewer.wait("root => root.store.state.playing")
    drifts = viewer.root.evaluate(
        """root => new Promise(done => {
            const { store, sound } = root, { trace } = store.state, drifts = [];
            const playhead = root.querySelector(".tracks-over .playhead");
            store.listen(({ playing }) => {
                if (!playing || drifts.length >= 30) return done(drifts);
                const frame = parseFloat(playhead.style.left) / 100 * trace.frames - 0.5;
                drifts.push(sound.clock() - trace.start - trace.field_seconds / 2 - frame * trace.hop_seconds);
            });
        })"""
    )
    assert len(drifts) == 30
    assert np.abs(np.median(drifts)) < 0.03
    viewer.page.get_by_role("button", name="Pause").click()
    viewer.wait("root => !root.store.state.playing")


def test_a_finger_keeps_and_hears(browser, address: str):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    viewer = Viewer(Explorer(context.new_page(), address))
    assert viewer.root.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    viewer.wait("root => root.querySelector('.atlas [aria-busy=false]') !== null")  # from now on nothing moves
    place = viewer.at(0.5, 0.4)
    viewer.page.touchscreen.tap(*place)
    viewer.wait("root => root.store.state.locked !== null && !root.store.state.playing")
    # It plays for 0.3 s only, which a look now and then could miss.
    viewer.root.evaluate("root => { root.store.listen(({ playing }) => { root.hasPlayed ||= playing; }); }")
    viewer.page.touchscreen.tap(place[0] + 3, place[1])
    viewer.wait("root => root.hasPlayed")
    assert viewer.explorer.errors == []
    context.close()
