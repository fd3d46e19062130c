// Style sheets from among the viewer's files.

import { element } from "./element.js";

// Nobody sees `root` before all its styles are here: it would jump.
export async function putOn(root, files, names) {
  const sheets = names.map(name => element("link", { rel: "stylesheet", href: `${files}/${name}` }));
  const arrived = sheets.map(sheet => new Promise(resolve => { sheet.onload = sheet.onerror = resolve; }));
  root.style.visibility = "hidden";
  root.append(...sheets);
  await Promise.all(arrived);
  root.style.visibility = "";
}
