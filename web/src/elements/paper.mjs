// On paper an age says nothing: before the page is printed each panel gets the moment of its data, in the viewer's zone.
// `data-as-of` is an attribute that no template binds; print.css writes it into the head.

import { fullTime, moment } from "./clock.mjs";

export function sayMomentsOnPaper() {
  const say = () => {
    for (const panel of document.querySelectorAll("[data-panel][data-updated]")) {
      panel.dataset.asOf = fullTime(moment(panel.dataset.updated));
    }
  };
  addEventListener("beforeprint", say);
  matchMedia("print").addEventListener("change", (event) => event.matches && say());
}
