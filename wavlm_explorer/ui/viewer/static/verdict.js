// What the stage strip says in words: whose attention this is, what a switch changes, how close the sums are.

import { frameCentre } from "./axis.js";
import { element } from "./element.js";
import { percent } from "./measures.js";
import { short } from "./stage.js";
import { describe } from "./switches.js";
import { isTheModel, moved } from "./terms.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function judge({ trace }, { terms, model, now, choice }) {
  const { size } = terms;
  if (isTheModel(choice)) {
    const skipped = terms.skipped ? " The layer is skipped: this is what it would have done." : "";
    const lacking = !trace.has_bias ? " It has no position bias: content alone decides."
      : !trace.has_gate ? " It has no gate: the bias counts as the table has it." : "";
    return explainActing(terms) + skipped + lacking;
  }
  const share = moved(model.weights, now.weights, 0, size * size) / size;
  return `What if: ${describe(choice)}. The model did not compute this; its own curves are grey. Of its attention `
    + `${percent(share)} would go elsewhere (total variation, mean of ${size} queries).`;
}

// Whose attention it is: the model's own, or that of a head which interventions change.
function explainActing({ interventions, acting, barred_distances, barred_keys }) {
  if (!interventions) return "As the model computes it.";
  const several = interventions > 1 ? `${interventions} interventions` : "an intervention";
  if (!acting.length) return `As the model computes it, of what reaches this layer under ${several}.`;
  const isBarred = [barred_distances, barred_keys].some(bars => bars.includes(-Infinity));
  return `Under ${several}. In this head: ${acting.join("; ")}.${isBarred ? " Grey logits are minus infinity: barred keys." : ""}`;
}

// The same of the query in focus alone.
export function judgeQuery({ trace }, { terms: { size, start, share, acting }, model, now, choice }, query) {
  if (query < 0) return "";
  const seconds = ` At ${frameCentre(trace, start + query).toFixed(2)} s`;
  if (acting.length && share[query] === 0) return `${seconds} no key here is left: all weights are 0.`;
  if (isTheModel(choice)) return "";
  return `${seconds}: ${percent(moved(model.weights, now.weights, query * size, (query + 1) * size))}.`;
}

// The numbers of one query and key at every stage.
export function spellOut({ terms, now, choice, gates }, query, key) {
  const { size, width, bias, content } = terms, cell = query * size + key;
  const output = now.output.subarray(query * width, (query + 1) * width);
  const gated = `${short(gates[query])} × ${short(choice.bias ? bias[key - query + size - 1] : 0)}`;
  return {
    content: short(choice.content ? content[cell] : 0),
    position: `${gated} = ${short(now.position[cell])}`,
    logits: short(now.logits[cell]),
    weights: now.weights[cell].toPrecision(3),
    output: `length ${short(Math.hypot(...output))}`,
  };
}

export function vouch({ trace }, { terms: { size }, sizes, factor }) {
  const sums = "Put together in this page, from content in half precision: "
    + `logits within ${power(sizes.logits)} of the model's own, weights within ${power(sizes.weights)} `
    + `(${sizes.queries} of ${size} queries checked).`;
  const cut = `Of this long clip ${size} frames take part; what lies outside keeps the share that the model gave it.`;
  const pooled = `Each cell is the largest of ${factor} × ${factor} frames.`;
  return [sums, size < trace.frames && cut, factor > 1 && pooled].filter(Boolean).join(" ");
}

function power(number) {
  if (number === 0) return "0";
  const exponent = Math.floor(Math.log10(number)), sign = exponent < 0 ? "⁻" : "";
  const raised = String(Math.abs(exponent)).replace(/\d/g, digit => SUPERSCRIPTS[digit]);
  return `${(number / 10 ** exponent).toFixed(1)}\u00a0·\u00a010${sign}${raised}`;
}

export function explainGates() {
  const link = (address, words) => element("a", { href: address, target: "_blank", rel: "noopener" }, words);
  return element("details", {},
    element("summary", {}, "Which vector feeds the gate?"),
    element("p", {},
      "The ", link("https://arxiv.org/abs/2110.13900", "paper"), " (section IV-A) makes an update gate u and a reset ",
      "gate r of the projected query q, and adds B (1 + u + (1 − u) c r) to a logit, where B is the bias and c a ",
      "learned number. The released code has the same formula, with u = 1 − a, but feeds it the layer's raw input ",
      "(fast path): a slip of the pre-training code, as ",
      link("https://github.com/microsoft/UniSpeech/issues/25", "an author says"),
      ", which stays because the models were trained with it. A branch of that code that no ordinary call takes feeds ",
      "it q / √d (slow path). The switch shows what each would do to this head."));
}
