// A button for every head, layers down and heads across, or in a list; one of them is in the tab order, arrows move.

import { element } from "./element.js";
import { FORMATS } from "./measures.js";

function makeButton(layer, head) {
  const canvas = element("canvas"), bar = element("i", { class: "share" });
  const caption = element("span", { class: "caption" });
  const button = element("button", { type: "button", class: "head", tabindex: -1 }, canvas, bar, caption);
  return Object.assign(button, { layer, head, canvas, caption });
}

// choose(layer, head) when one is clicked; preview(head or null) when one is pointed at or focused.
export function createGrid(place, choose, preview) {
  const corner = element("div");
  let buttons = [], columnLabels = [], rowLabels = [], numHeads = 1;

  function keepInTabOrder(button) {
    for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
  }

  function move(event) {
    const shown = [...place.querySelectorAll("button")], at = shown.indexOf(event.target);
    const columns = shown.filter(button => button.offsetTop === shown[0].offsetTop).length, last = shown.length - 1;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -at, End: last - at };
    if (at < 0 || event.altKey || !(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    shown[at + steps[event.key]]?.focus();
  }

  place.addEventListener("keydown", move);
  place.addEventListener("focusin", ({ target }) => { keepInTabOrder(target); preview(target); });
  place.addEventListener("focusout", () => preview(null));
  place.addEventListener("pointerover", ({ target }) => preview(target.closest("button")));
  place.addEventListener("pointerleave", () => preview(null));
  place.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button) choose(button.layer, button.head);
  });

  return {
    get buttons() { return buttons; },
    build(layers, heads) {
      numHeads = heads;
      const range = length => Array.from({ length }, (_, index) => index);
      buttons = range(layers).flatMap(layer => range(heads).map(head => makeButton(layer, head)));
      columnLabels = range(heads).map(head => element("div", { class: "column-label" }, `${head}`));
      rowLabels = range(layers).map(layer => element("div", { class: "row-label" }, `${layer}`));
      place.style.setProperty("--heads", heads);
    },
    // Put all heads where they belong, or a list of them in its order.
    arrange(list) {
      const row = layer => [rowLabels[layer], ...buttons.slice(layer * numHeads, (layer + 1) * numHeads)];
      const items = list ?? [corner, ...columnLabels, ...rowLabels.flatMap((_, layer) => row(layer))];
      if (items.length === place.children.length && items.every((item, at) => item === place.children[at])) return;
      const focused = place.getRootNode().activeElement;
      place.classList.toggle("list", Boolean(list));
      place.replaceChildren(...items);
      if (items.includes(focused)) focused.focus({ preventScroll: true });
      const stop = buttons.find(button => button.tabIndex === 0);
      if (!items.includes(stop)) keepInTabOrder(items.find(item => buttons.includes(item)));
    },
    mark(layer, head) {
      const current = buttons[layer * numHeads + head];
      for (const button of buttons) button.setAttribute("aria-current", button === current);
      rowLabels.forEach((label, index) => label.classList.toggle("current", index === layer));
      columnLabels.forEach((label, index) => label.classList.toggle("current", index === head));
      if (!buttons.some(button => button.matches(":focus"))) keepInTabOrder(current);
    },
    // Put a drawing of its own above each column.
    crown(drawings) {
      drawings.forEach((drawing, head) => columnLabels[head].replaceChildren(drawing, `${head}`));
    },
    // Write on a head's button which it is and, if known, one measure; `share` is how much of its range.
    label(button, measure = null, number = 0, share = 0) {
      const { layer, head } = button, value = measure ? FORMATS[measure.name](number) : "";
      const spoken = measure ? `, ${measure.label.toLowerCase()} ${value}` : "";
      button.setAttribute("aria-label", `Layer ${layer}, head ${head}${spoken}`);
      button.style.setProperty("--share", share);
      button.caption.textContent = `L${layer} H${head}  ${value}`;
    },
  };
}
