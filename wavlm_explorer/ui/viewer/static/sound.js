// The sound, and the playhead that follows its clock.

import { frameCentre, frameToSeconds } from "./axis.js";
import { touched } from "./store.js";

export const KEY_SECONDS = 0.3;  // what is played of a key: what a frame sees, 25 ms, is too short to recognize

export function createSound(store) {
  const audio = new Audio(), { state } = store;
  let address = "";
  audio.preload = "auto";
  audio.preservesPitch = true;

  const bounds = () => {
    const { heard, range, trace } = state, end = trace.start + trace.duration;
    const { from, to } = heard ?? { from: frameToSeconds(trace, range.from), to: frameToSeconds(trace, range.to) };
    const isToTheEnd = !heard && range.to === trace.frames;
    return { from: Math.max(from, trace.start), to: isToTheEnd ? end : Math.min(to, end) };
  };
  const clock = () => state.trace.start + audio.currentTime;
  const seek = seconds => {
    audio.currentTime = Math.max(0, seconds - state.trace.start);
  };

  // Play what is between `from` and `to`, in seconds, or from the playhead what is shown.
  function play(heard = null) {
    if (!state.sound) return;
    store.set({ heard });
    const { from, to } = bounds();
    if (heard || clock() < from || clock() > to - 0.02) seek(heard || state.range.from > 0 ? from : state.trace.start);
    audio.play().catch(() => pause());  // a browser may want a click first
  }

  function pause() {
    audio.pause();
    store.set({ playing: false });
  }

  function checkEnd() {
    if (!state.playing) return;
    const { from, to } = bounds();
    if (clock() < to && !audio.ended) return;
    if (!state.loop) return pause();
    seek(from);
    if (audio.paused) audio.play().catch(() => pause());
  }

  audio.addEventListener("playing", () => store.set({ playing: true }));
  audio.addEventListener("pause", () => audio.ended || store.set({ playing: false }));
  audio.addEventListener("ended", checkEnd);
  audio.addEventListener("timeupdate", checkEnd);  // also where no frames are drawn, in a hidden tab

  store.derive((state, changed) => {
    if (changed.has("sound") && state.sound) {
      URL.revokeObjectURL(address);
      address = URL.createObjectURL(new Blob([state.sound.wav], { type: "audio/wav" }));
      audio.src = address;
    }
    return state.playing ? { time: clock() } : null;  // the clock is read in the very frame that draws the playhead
  });
  store.listen((state, changed) => {
    if (changed.has("trace")) pause();
    if (touched(changed, "speed", "sound")) audio.playbackRate = audio.defaultPlaybackRate = state.speed;
    if (!state.playing) return;
    checkEnd();
    store.wake();
  });

  return {
    play,
    pause,
    toggle: () => state.playing ? pause() : play(),
    playKey(key) {
      const centre = frameCentre(state.trace, key);
      play({ from: centre - KEY_SECONDS / 2, to: centre + KEY_SECONDS / 2 });
    },
    // Where the sound is, in seconds: what the playhead is measured by.
    clock,
    stop() {
      audio.pause();
      URL.revokeObjectURL(address);
      audio.removeAttribute("src");
    },
  };
}
