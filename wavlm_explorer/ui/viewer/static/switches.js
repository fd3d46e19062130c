// The switches of the stage strip: which terms stay, and what feeds the gate.

import { element } from "./element.js";
import { AS_THE_MODEL, GATE_OF_ONE, isTheModel } from "./terms.js";

const GATES = {
  "fast path": "reads the layer's raw input: what every released model runs",
  "slow path": "reads q / √d, in a branch of the original that no ordinary call takes",
  paper: "reads q, the projected query, as the paper writes it",
  [GATE_OF_ONE]: "leaves the table's bias as it is",
};

export function createSwitches(place, { has_bias, has_gate }, onChange) {
  let choice = { ...AS_THE_MODEL };

  function choose(patch) {
    choice = { ...choice, ...patch };
    for (const name of ["content", "bias"]) boxes[name].checked = !choice[name];
    radios.forEach(radio => { radio.checked = radio.value === choice.gate; });
    reset.disabled = isTheModel(choice);
    onChange(choice);
  }

  const box = (name, isThere) => element("input", {
    type: "checkbox", name, disabled: !isThere, onchange: event => choose({ [name]: !event.target.checked }),
  });
  const boxes = { content: box("content", true), bias: box("bias", has_bias) };
  const labelled = (input, words, title = null) =>
    element("label", { class: "switch", title }, input, element("span", {}, words));
  const radios = Object.keys(GATES).map(value => element("input", {
    type: "radio", name: "gate", value, disabled: !has_gate, checked: value === choice.gate,
    onchange: () => choose({ gate: value }),
  }));
  const reset = element("button", { type: "button", disabled: true }, "as the model");
  reset.onclick = () => choose(AS_THE_MODEL);
  const lacking = "this model has none";
  place.replaceChildren(
    element("span", { class: "question" }, "What if"),
    labelled(boxes.content, "no content"),
    labelled(boxes.bias, "no bias", has_bias ? null : lacking),
    element("fieldset", {}, element("legend", {}, "gate"), ...radios.map(radio =>
      labelled(radio, radio.value === GATE_OF_ONE ? "= 1" : radio.value, has_gate ? GATES[radio.value] : lacking))),
    reset,
  );
}

// The choice in words, for what is no longer the model's.
export function describe({ content, bias, gate }) {
  const parts = [];
  if (!content) parts.push("no content");
  if (!bias) parts.push("no bias");
  else if (gate === GATE_OF_ONE) parts.push("a gate of 1");
  else if (gate === "paper") parts.push("the gate as the paper has it");
  else if (gate !== AS_THE_MODEL.gate) parts.push(`the gate of the ${gate}`);
  return parts.join(", ");
}
