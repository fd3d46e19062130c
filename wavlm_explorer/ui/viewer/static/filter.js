// By which measure heads are arranged, and which range of it is shown.

import { FORMATS } from "./measures.js";

const STEPS = 100, BINS = 40;
const ARRANGEMENTS = { grid: "by layer and head", highest: "highest first", lowest: "lowest first" };
const options = entries => entries.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");

// `changed` is called when the visitor chooses; `numbers` are one measure of all heads so far.
export function createFilter(place, measures, changed) {
  place.innerHTML = `
    <label>Measure <select class="measure">${options(measures.map(({ name, label }) => [name, label]))}</select></label>
    <label>Arrange <select class="arrangement">${options(Object.entries(ARRANGEMENTS))}</select></label>
    <div class="measure-range" role="group" aria-label="Range of the measure">
      <svg viewBox="0 0 ${BINS} 1" preserveAspectRatio="none" aria-hidden="true"></svg>
      <input class="least" type="range" min="0" max="${STEPS}" value="0" aria-label="From">
      <input class="most" type="range" min="0" max="${STEPS}" value="${STEPS}" aria-label="To">
    </div>
    <output></output>
    <button type="button" class="all" hidden>Show all</button>`;
  const [measure, arrangement, histogram, least, most, output, all] =
    [".measure", ".arrangement", "svg", ".least", ".most", "output", ".all"].map(name => place.querySelector(name));
  let numbers = [], [lowest, highest] = [0, 1];

  const at = slider => lowest + (highest - lowest) * slider.value / STEPS;
  const isWhole = () => +least.value === 0 && +most.value === STEPS;
  // the ends are open, so that rounding never loses the heads that lie on them
  const accepts = number => (+least.value === 0 || number >= at(least)) && (+most.value === STEPS || number <= at(most));

  function draw() {
    const counts = new Array(BINS).fill(0), bin = number =>
      Math.min(BINS - 1, Math.floor(BINS * (number - lowest) / (highest - lowest || 1)));
    for (const number of numbers) counts[bin(number)]++;
    const tallest = Math.max(1, ...counts), inside = numbers.filter(accepts).length;
    const [from, to] = [least, most].map(slider => slider.value / STEPS * BINS);
    histogram.innerHTML = counts.map((count, index) => count && `<rect x="${index + 0.1}" width="0.8" y="${1 - count / tallest}"
      height="${count / tallest}" class="${index + 0.5 >= from && index + 0.5 <= to ? "inside" : ""}"/>`).filter(Boolean).join("");
    place.style.setProperty("--from", least.value / STEPS);
    place.style.setProperty("--to", most.value / STEPS);
    const format = FORMATS[measure.value];
    for (const slider of [least, most]) slider.setAttribute("aria-valuetext", format(at(slider)));
    output.value = numbers.length ? `${format(at(least))} to ${format(at(most))} · ${inside} of ${numbers.length}` : "measuring …";
    all.hidden = isWhole();
  }

  function widen() {
    least.value = 0;
    most.value = STEPS;
  }

  least.oninput = () => { least.value = Math.min(least.value, most.value); changed(); };
  most.oninput = () => { most.value = Math.max(least.value, most.value); changed(); };
  measure.onchange = () => { widen(); changed(); };
  arrangement.onchange = changed;
  all.onclick = () => { widen(); changed(); };

  return {
    get measure() { return measure.value; },
    get arrangement() { return arrangement.value; },
    accepts,
    // where a number lies between the lowest and the highest of all heads, 0 to 1
    share: number => (number - lowest) / (highest - lowest || 1),
    update(news) {
      numbers = news;
      if (numbers.length) [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
      draw();
    },
  };
}
