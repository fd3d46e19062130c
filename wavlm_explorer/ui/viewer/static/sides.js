// The two passes of a change: which of them is shown, the switch between them, and how it is flipped.

import { element } from "./element.js";
import { touched } from "./store.js";

export const SIDES = { after: "with the change", before: "without", difference: "difference" };

// Whether panes that show one pass show the one with the change; where there is no change, there is but one pass.
export const showsChange = ({ change, side }) => change !== null && side !== "before";

export const showsDifference = ({ change, side }) => change !== null && side === "difference";

// The weights of that one pass, also where the map shows a difference.
export const weightsShown = ({ weights, both, side }) => both ? both[side === "before" ? "before" : "after"] : weights;

export const FLIPS = {
  b: store => store.set({ side: store.state.side === "before" ? "after" : "before" }),
  d: store => store.set({ side: store.state.side === "difference" ? "after" : "difference" }),
};

export function createSideSwitch(store) {
  const buttons = Object.entries(SIDES).map(([side, words]) => {
    const attributes = { type: "button", class: "worded", "data-side": side, onclick: () => store.set({ side }) };
    return element("button", attributes, words);
  });
  const group = element("div", { class: "group sides", role: "group", "aria-label": "Which pass is shown" }, ...buttons);
  store.listen(({ change, side }, changed) => {
    if (!touched(changed, "trace", "change", "side")) return;
    group.hidden = !change;
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.side === side);
  });
  return group;
}
