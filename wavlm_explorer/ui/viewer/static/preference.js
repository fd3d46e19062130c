// A head's bias curve as a small drawing: what it prefers by distance alone.

const REACH_SECONDS = 1;  // to both sides
const [WIDTH, HEIGHT] = [100, 22];

// One svg for each head of `bias` [heads, distances], all on one scale: it reaches to what is the largest here, or to what
// is said to be. A bias of 0 is a flat line.
export function drawPreferences(bias, hopSeconds, reaches = null) {
  const [heads, distances] = bias.shape, middle = (distances - 1) / 2;
  const reach = Math.min(middle, Math.round(REACH_SECONDS / hopSeconds));
  const curves = Array.from({ length: heads }, (_, head) =>
    bias.subarray(head * distances + middle - reach, head * distances + middle + reach + 1));
  const largest = reaches ?? (Math.max(...curves.map(curve => Math.max(...curve.map(Math.abs)))) || 1);
  const y = value => HEIGHT / 2 * (1 - value / largest);
  return curves.map(curve => {
    const points = Array.from(curve, (value, at) => `${(at / (2 * reach || 1) * WIDTH).toFixed(1)},${y(value).toFixed(1)}`);
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    drawing.setAttribute("preserveAspectRatio", "none");
    const seconds = (reach * hopSeconds).toFixed(1);
    drawing.innerHTML = `
      <title>What this head prefers by distance alone (its bias, before the gate), ${seconds} s to both sides</title>
      <path class="zero" d="M0,${HEIGHT / 2}H${WIDTH}M${WIDTH / 2},0V${HEIGHT}"/>
      <path class="bias" d="M${points.join("L")}"/>`;
    return drawing;
  });
}
