// How a component begins and ends on the page, and follows its theme and the room that it has.

import { dress, isDark, readPalette } from "./colours.js";

// The function that Streamlit calls at every rerun that changes the component's data or theme, made from
// create(root, data), which gives {update(data, setStateValue), stop()}.
export const mount = create => ({ data, parentElement, setStateValue }) => {
  const root = parentElement.querySelector(".viewer");
  root.viewer ??= create(root, data);
  root.viewer.update(data, setStateValue);
  return () => {
    root.viewer?.stop();
    delete root.viewer;
  };
};

// Gives, whenever it is asked, the store's {colours} if the page's theme is another than before, else {}.
export function followTheme(root) {
  let theme = "";
  return palettes => {
    const next = isDark(root) ? "dark" : "light";
    if (next === theme) return {};
    const colours = readPalette(palettes[theme = next]);
    dress(root, colours);
    return { colours };
  };
}

// Keeps the store's layout as arrange(width, height) gives it; adapt(layout) does what else follows from it.
export function followRoom(root, store, arrange, adapt = () => {}) {
  const measure = () => {
    const layout = arrange(root.clientWidth, innerHeight);
    root.classList.toggle("wide", Boolean(layout.wide));
    root.classList.toggle("narrow", layout.left < 100);
    for (const name of ["left", "width"]) root.style.setProperty(`--${name}`, `${layout[name]}px`);
    adapt(layout);
    if (JSON.stringify(layout) !== JSON.stringify(store.state.layout)) store.set({ layout });
  };
  const observer = new ResizeObserver(measure);
  observer.observe(root);
  addEventListener("resize", measure);
  measure();
  return () => {
    observer.disconnect();
    removeEventListener("resize", measure);
  };
}
