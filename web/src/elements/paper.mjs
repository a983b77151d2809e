// On paper an age says nothing: before the page is printed each panel's head gets the moment of its data, in the viewer's zone.
// `data-as-of` is an attribute that no template binds; print.css writes it out.

import { fullTime, moment } from "./clock.mjs";

export function sayMomentsOnPaper() {
  const say = () => {
    for (const panel of document.querySelectorAll("[data-panel][data-updated]")) {
      const head = panel.querySelector(".head");
      if (head) head.dataset.asOf = fullTime(moment(panel.dataset.updated));
    }
  };
  addEventListener("beforeprint", say);
  matchMedia("print").addEventListener("change", (event) => event.matches && say());
}
