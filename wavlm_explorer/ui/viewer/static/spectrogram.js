// The spectrogram as a picture, made once for a sound and a theme, and drawn along either axis.

import { bitmap } from "./canvas.js";
import { secondsToFrame } from "./axis.js";
import { touched } from "./store.js";

export const HIGHEST_KILOHERTZ = 8;

export function createSpectrogram(store) {
  const across = document.createElement("canvas"), down = document.createElement("canvas");

  store.listen(({ sound, colours }, changed) => {
    if (!touched(changed, "sound", "colours") || !sound) return;
    const { spectrogram } = sound, [rows, columns] = spectrogram.shape;
    bitmap(across, columns, rows, cell => {  // low frequencies at the bottom
      const row = Math.floor(cell / columns);
      return colours.sound[spectrogram[(rows - 1 - row) * columns + cell - row * columns]];
    });
    bitmap(down, rows, columns, cell => {  // low frequencies at the right, beside the map
      const column = Math.floor(cell / rows);
      return colours.sound[spectrogram[(rows - 1 - cell + column * rows) * columns + column]];
    });
  });

  // The columns that belong to what is shown; each is centred on its time.
  function shown({ trace, range, sound }) {
    const times = sound.spectrogram_times, hop = times.length > 1 ? times[1] - times[0] : trace.hop_seconds;
    const [first, last] = [times[0] - hop / 2, times.at(-1) + hop / 2].map(seconds => secondsToFrame(trace, seconds));
    const perFrame = times.length / (last - first);
    return [(range.from - first) * perFrame, (range.to - range.from) * perFrame];
  }

  return {
    drawAcross(context, state, x, y, width, height) {
      const [from, count] = shown(state);
      context.imageSmoothingEnabled = true;
      context.drawImage(across, from, 0, count, across.height, x, y, width, height);
    },
    drawDown(context, state, x, y, width, height) {
      const [from, count] = shown(state);
      context.imageSmoothingEnabled = true;
      context.drawImage(down, 0, from, down.width, count, x, y, width, height);
    },
  };
}
