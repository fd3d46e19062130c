// The sound with the hidden span silent, and short sounds to hear beside it.

import { frameToSeconds } from "./axis.js";
import { touched } from "./store.js";
import { WAV_HEADER_BYTES } from "./tracks.js";

const BYTES_PER_SAMPLE = 2;
const AROUND_SECONDS = 1;  // heard before and behind the span

// The same file, silent where the frames lie.
function silence(wav, trace, { from, to }) {
  const copy = wav.slice(), samples = (wav.length - WAV_HEADER_BYTES) / BYTES_PER_SAMPLE;
  const [first, last] = [from, to].map(frame => {
    const sample = Math.round((frameToSeconds(trace, frame) - trace.start) / trace.duration * samples);
    return WAV_HEADER_BYTES + BYTES_PER_SAMPLE * Math.min(Math.max(sample, 0), samples);
  });
  return copy.fill(0, first, last);
}

// `sound` is what plays: the recorded one, or with `gapped` the same with the hidden span silent.
export function deriveSound() {
  return ({ recorded, gapped, hidden, trace, hiding }, changed) => {
    if (!recorded || hiding || !touched(changed, "recorded", "gapped", "hidden", "hiding")) return null;
    if (!gapped && !touched(changed, "recorded", "gapped")) return null;
    return { sound: gapped ? { ...recorded, wav: silence(recorded.wav, trace, hidden) } : recorded };
  };
}

// Play around the hidden span, with it or without.
export function playAround(store, sound, gapped) {
  const { trace, hidden } = store.state;
  store.set({ gapped });
  requestAnimationFrame(() => sound.play({  // once the store has told which sound it is
    from: frameToSeconds(trace, hidden.from) - AROUND_SECONDS, to: frameToSeconds(trace, hidden.to) + AROUND_SECONDS,
  }));
}

// Plays short sounds that the server makes: `heardClip` says in words what was heard last.
export function createClips(store, source, sound) {
  const audio = new Audio();
  let address = "", latest = 0;

  async function play(what, wanted, name) {
    const mine = ++latest, { trace } = store.state;
    try {
      const { wav, words } = await source.get(what, wanted);
      if (mine !== latest || trace !== store.state.trace) return;
      sound.pause();
      store.set({ heardClip: `${name}: ${words}` });
      if (!wav) return;
      URL.revokeObjectURL(address);
      audio.src = address = URL.createObjectURL(new Blob([wav], { type: "audio/wav" }));
      await audio.play();
    } catch (error) {
      if (mine === latest && error.status) store.set({ trouble: `This cannot be heard: ${error.message}` });
    }
  }

  return {
    playMoment: frame => play("moment", { frame }, "what was there"),
    playClass: number => play("class", { number }, `class ${number}`),
    stop() {
      latest++;
      audio.pause();
      URL.revokeObjectURL(address);
    },
  };
}
