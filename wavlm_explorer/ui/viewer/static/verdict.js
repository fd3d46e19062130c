// What the stage strip says in words: whose attention this is, what a switch changes, how close the sums are.

import { frameCentre } from "./axis.js";
import { element } from "./element.js";
import { short } from "./stage.js";
import { describe } from "./switches.js";
import { isTheModel, moved } from "./terms.js";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function judge({ trace }, { terms, model, now, choice, query }) {
  if (isTheModel(choice)) {
    if (!trace.has_bias) return "As the model computes it. It has no position bias: content alone decides.";
    return `As the model computes it.${trace.has_gate ? "" : " It has no gate: the bias is added as the table has it."}`;
  }
  const { size } = terms, percent = share => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const inAll = percent(moved(model.weights, now.weights, 0, size * size) / size);
  const here = query < 0 ? "" : `, and ${percent(moved(model.weights, now.weights, query * size, (query + 1) * size))} at `
    + `${frameCentre(trace, terms.start + query).toFixed(2)} s`;
  return `What if: ${describe(choice)}. This is not what the model computed. Of its attention ${inAll} would go elsewhere `
    + `(total variation, mean of ${size} queries)${here}.`;
}

// The numbers of one query and key at every stage.
export function spellOut({ terms, now, choice, gates }, query, key) {
  const { size, width, bias, content } = terms, cell = query * size + key;
  const output = now.output.subarray(query * width, (query + 1) * width);
  return {
    content: short(choice.content ? content[cell] : 0),
    position: `${short(gates[query])} × ${short(bias[key - query + size - 1])} = ${short(now.position[cell])}`,
    logits: short(now.logits[cell]),
    weights: now.weights[cell].toPrecision(3),
    output: `length ${short(Math.hypot(...output))}`,
  };
}

export function vouch({ trace }, { terms, sizes, factor }) {
  const parts = [
    `Put together in this page, from content in half precision: logits within ${power(sizes.logits)} of the model's own, `
      + `weights within ${power(sizes.weights)} (${sizes.queries} of ${terms.size} queries checked).`,
  ];
  if (terms.size < trace.frames) {
    parts.push(`Of this long clip ${terms.size} frames take part; what lies outside keeps the share that the model gave it.`);
  }
  if (factor > 1) parts.push(`Each cell is the largest of ${factor} × ${factor} frames.`);
  return parts.join(" ");
}

function power(number) {
  if (number === 0) return "0";
  const exponent = Math.floor(Math.log10(number));
  const raised = String(Math.abs(exponent)).replace(/\d/g, digit => SUPERSCRIPTS[digit]);
  return `${(number / 10 ** exponent).toFixed(1)} · 10${exponent < 0 ? "⁻" : ""}${raised}`;
}

const link = (address, words) => element("a", { href: address, target: "_blank", rel: "noopener" }, words);

export function explainGates() {
  return element("details", {}, element("summary", {}, "Which vector feeds the gate?"), element("p", {},
    "The ", link("https://arxiv.org/abs/2110.13900", "paper"), " (section IV-A) makes an update gate u and a reset gate r from "
    + "the projected query q, and adds B (1 + u + (1 − u) c r) to the logit. The released code computes the same, with "
    + "u = 1 − a and r = b, but reads the layer's raw input (fast path): a slip of the pre-training code, which an ",
    link("https://github.com/microsoft/UniSpeech/issues/25", "author confirms"), " and which stays, because the models were "
    + "trained with it. A branch that no ordinary call takes reads q / √d (slow path)."));
}
