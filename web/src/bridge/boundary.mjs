// What a root shows when the browser could not draw it: the same as `pyapp/ui/boundary.py`.

/**
 * @param {unknown} error
 * @returns {HTMLElement}
 */
export function boundary(error) {
  const element = document.createElement("div");
  element.className = "boundary";
  element.setAttribute("role", "alert");
  const details = document.createElement("details");
  details.append(withText("summary", "Details"), withText("pre", String(error?.stack ?? error)));
  element.append(withText("p", "This panel could not be drawn."), details);
  return element;
}

function withText(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
