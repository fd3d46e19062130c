// By which measure heads are arranged, and which range of it is shown.

import { FORMATS } from "./measures.js";

const STEPS = 100, BINS = 40;
const ARRANGEMENTS = { grid: "by layer and head", highest: "highest first", lowest: "lowest first" };
const options = entries => entries.map(([value, label]) => `<option value="${value}">${label}</option>`).join("");

const parts = measures => `
  <label>Measure <select class="measure">${options(measures.map(({ name, label }) => [name, label]))}</select></label>
  <label>Arrange <select class="arrangement">${options(Object.entries(ARRANGEMENTS))}</select></label>
  <div class="measure-range" role="group" aria-label="Range of the measure">
    <svg viewBox="0 0 ${BINS} 1" preserveAspectRatio="none" aria-hidden="true"></svg>
    <input class="least" type="range" min="0" max="${STEPS}" value="0" aria-label="From">
    <input class="most" type="range" min="0" max="${STEPS}" value="${STEPS}" aria-label="To">
  </div>
  <output></output>
  <button type="button" class="all" hidden>Show all</button>`;

// How many of `shares`, 0 to 1, fall into each bin, as bars; those between `from` and `to` are marked.
function drawHistogram(place, shares, from, to) {
  const counts = new Array(BINS).fill(0);
  for (const share of shares) counts[Math.min(BINS - 1, Math.floor(BINS * share))]++;
  const tallest = Math.max(1, ...counts), isInside = bin => bin + 0.5 >= BINS * from && bin + 0.5 <= BINS * to;
  const bar = (height, bin) => `<rect x="${bin + 0.1}" width="0.8" y="${1 - height}" height="${height}"
    class="${isInside(bin) ? "inside" : ""}"/>`;
  place.innerHTML = counts.map((count, bin) => bar(count / tallest, bin)).join("");
}

// `changed` is called when the visitor chooses; `update` takes one measure of all heads that are known. `first` is the
// name of the measure to begin with.
export function createFilter(place, measures, first, changed) {
  place.innerHTML = parts(measures);
  const [measure, arrangement, histogram, least, most, output, all] =
    [".measure", ".arrangement", "svg", ".least", ".most", "output", ".all"].map(name => place.querySelector(name));
  let lowest = 0, highest = 1;
  measure.value = first;

  const share = number => (number - lowest) / (highest - lowest || 1);
  const at = slider => lowest + (highest - lowest) * slider.value / STEPS;
  // the ends are open, so that rounding never loses the heads that lie on them
  const isOpen = slider => slider.value === slider[slider === least ? "min" : "max"];
  const accepts = number => (isOpen(least) || number >= at(least)) && (isOpen(most) || number <= at(most));

  function widen() {
    least.value = least.min;
    most.value = most.max;
    changed();
  }

  function narrow({ target }) {
    if (+least.value > +most.value) target.value = (target === least ? most : least).value;
    changed();
  }

  function update(numbers) {
    if (numbers.length) [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
    drawHistogram(histogram, numbers.map(share), least.value / STEPS, most.value / STEPS);
    const texts = [least, most].map(slider => FORMATS[measure.value](at(slider)));
    least.setAttribute("aria-valuetext", texts[0]);
    most.setAttribute("aria-valuetext", texts[1]);
    const count = `${numbers.filter(accepts).length} of ${numbers.length}`;
    output.value = numbers.length ? `${texts.join(" to ")} · ${count}` : "";
    all.hidden = isOpen(least) && isOpen(most);
  }

  least.oninput = most.oninput = narrow;
  measure.onchange = all.onclick = widen;
  arrangement.onchange = changed;
  return {
    get measure() { return measure.value; },
    get arrangement() { return arrangement.value; },
    accepts,
    share,  // where a number lies between the lowest and the highest of all heads, 0 to 1
    update,
  };
}
