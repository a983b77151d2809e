// The icon in the browser's tab: the gate, open or shut, and a badge where something is wrong. Shape and colour both say it.
//
// calm      the open gate, as the page brings it along
// failing   the open gate and a dot: something on the page fails
// trouble   the grey gate and a diamond: the connection has an error
// paused    the grey gate, shut: nothing moves; with a dot what failed when it stopped

const WATER = "#0b7a9e";
const GREY = "#6b7b83";
const RED = "#d0392b";

const POSTS = "M4 2.5v23M24 2.5v23";
const WAVES = "M7.5 17.5q3.25-3 6.5 0t6.5 0M7.5 23.5q3.25-3 6.5 0t6.5 0";
const DOT = `<circle cx='20' cy='20' r='7.5' fill='${RED}' stroke='#fff' stroke-width='1.5'/>`;
const DIAMOND = `<path d='M19 9.500 28 18.500 19 27.500 10 18.500Z' fill='${RED}' stroke='#fff' stroke-width='1.5'/>`;

function drawing(kind) {
  const shut = kind.startsWith("paused");
  const colour = shut || kind === "trouble" ? GREY : WATER;
  const blade = `<path fill='${colour}' stroke='none' d='M7.5 2.5h13v${shut ? 23 : 8}h-13z'/>`;
  const waves = shut ? "" : `<path d='${WAVES}'/>`;
  const badge = kind === "trouble" ? DIAMOND : kind.endsWith("failing") ? DOT : "";
  return (
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28' fill='none' stroke='${colour}' stroke-width='2.5'>` +
    `<path d='${POSTS}'/>${waves}${blade}${badge}</svg>`
  );
}

/** Shows the icon of a kind: calm, failing, trouble, paused or `paused failing`. */
export function setIcon(kind) {
  const link = document.querySelector("link[rel=icon]");
  if (!link || link.dataset.kind === kind) return;
  link.dataset.kind = kind;
  link.href = `data:image/svg+xml,${encodeURIComponent(drawing(kind))}`;
}
