// Where a popover stands: under the button that opens it, inside the window. CSS anchors are not in every engine yet.
// Opening, closing by Escape or a click beside it, and giving the focus back are the platform's.

const GAP_PX = 6;
const EDGE_PX = 8;

/** A popover that is not open yet has no size: near enough, until the first `toggle`. */
const USUAL = { width: 352, height: 0 };

function place(popover, size = popover.getBoundingClientRect()) {
  const button = document.querySelector(`[popovertarget="${CSS.escape(popover.id)}"]`);
  if (!button) return;
  const at = button.getBoundingClientRect();
  const { width, height } = size;
  // In the right half of the window the right edges meet, in the left half the left ones.
  const left = at.left + at.width / 2 > innerWidth / 2 ? at.right - width : at.left;
  const below = at.bottom + GAP_PX;
  const top = below + height > innerHeight - EDGE_PX ? Math.max(EDGE_PX, at.top - GAP_PX - height) : below;
  popover.style.setProperty("--pop-left", `${Math.max(EDGE_PX, Math.min(left, innerWidth - width - EDGE_PX))}px`);
  popover.style.setProperty("--pop-top", `${top}px`);
}

/** Place every popover of the page as it opens, and keep it beside its button while it is open. */
export function placePopovers() {
  let open = null;
  document.addEventListener(
    "beforetoggle",
    (event) => event.newState === "open" && event.target.matches?.("[popover]") && place(event.target, USUAL),
    { capture: true },
  );
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.("[popover]")) return;
      open = event.newState === "open" ? event.target : open === event.target ? null : open;
      if (event.newState === "open") place(event.target);
    },
    { capture: true },
  );
  const follow = () => open?.isConnected && place(open);
  addEventListener("scroll", follow, { passive: true, capture: true });
  addEventListener("resize", follow, { passive: true });
}
