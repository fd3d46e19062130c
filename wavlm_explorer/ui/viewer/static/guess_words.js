// What the lens shows, in words made from its numbers; a screen reader hears them when they rest.

import { frameCentre } from "./axis.js";
import { element } from "./element.js";
import { isAsked } from "./guesses.js";
import { best, distanceText, meanDistance, score } from "./lens_rows.js";
import { touched } from "./store.js";

const WATCHED = ["trace", "hidden", "guesses", "truth", "classes", "share", "asked", "limited", "hiding", "heardClip", "pointed"];

const HINT = "Drag over the sound to hide another span; arrow keys move it, with Shift they lengthen it.";

const milliseconds = ({ trace, hidden }) => Math.round(1000 * trace.hop_seconds * (hidden.to - hidden.from));

function sayHidden(state) {
  const { trace, hidden, limited } = state, frames = hidden.to - hidden.from;
  const seconds = frameCentre(trace, hidden.from).toFixed(2), most = trace.most_hidden;
  const which = frames === 1 ? `frame ${hidden.from}` : `frames ${hidden.from} to ${hidden.to - 1}`;
  const words = `Hidden: ${which}, ${frames} in all (${milliseconds(state)} ms), from ${seconds} s.`;
  return limited ? `${words} No more than ${most} can be hidden here: the guess needs something to hear.` : words;
}

function sayGuess(state) {
  const { guesses: [guess], classes, share, truth, trace } = state;
  if (state.hiding) return "Let go, and the model guesses.";
  if (!isAsked(state)) return "This clip is long: press “Let the model guess”.";
  if (!guess) return share ? `The model is guessing: ${Math.round(100 * share)} %.` : "The model is guessing …";
  const waiting = share ? ` What is taken away next: ${Math.round(100 * share)} %.` : "";
  if (!classes) {
    return `This checkpoint came without the head that names classes. Its guess at the top is ${
      distanceText(meanDistance(state, 0, trace.layers))} away from the truth; 1 would be no nearer than the clip's mean frame.${waiting}`;
  }
  if (!truth) return "";
  const { right, mean, frames } = score(state, 0);
  return `Guessed right: ${right} of ${frames}; the mean probability of the truth is ${mean.toFixed(2)}, chance ${(1 / classes).toFixed(2)}.${waiting}`;
}

function sayPointed(state) {
  const { pointed, hidden, truth, trace, classes } = state, frame = pointed?.query ?? -1;
  if (frame < 0) return classes ? `${HINT} Click a class to hear it.` : HINT;
  const time = `${frameCentre(trace, frame).toFixed(2)} s`, known = truth ? `: class ${truth[frame]}` : "";
  if (frame < hidden.from || frame >= hidden.to) return `${time}, heard${known}.`;
  if (!classes) return `${time}, hidden.`;
  const list = best(state, frame).map(({ number, probability }) => `${number} (${probability.toFixed(2)})`).join(", ");
  return `${time}, hidden${known}. Guesses: ${list || "not yet"}.`;
}

export function createGuessWords(place, store) {
  const [hidden, guess, pointed, heard, trouble] = ["hidden", "guess", "pointed", "heard", "trouble"].map(name =>
    place.appendChild(element("p", { class: `say ${name}` })));
  guess.setAttribute("aria-live", "polite");
  heard.setAttribute("aria-live", "polite");
  trouble.setAttribute("role", "alert");
  store.listen((state, changed) => {
    if (changed.has("trouble")) trouble.textContent = state.trouble ?? "";
    if (!state.trace || !state.hidden || !touched(changed, ...WATCHED)) return;
    hidden.textContent = sayHidden(state);
    guess.textContent = sayGuess(state);
    pointed.textContent = sayPointed(state);
    heard.textContent = state.heardClip && `Heard: ${state.heardClip}.`;
  });
}
