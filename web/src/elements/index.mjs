// Every custom element of the console, in light DOM, so that one style sheet and lit's templates reach into all of them.

import { PenAge, PenSpan, PenTime } from "./age.mjs";
import { PenChart } from "./chart.mjs";
import { PenCopies } from "./copies.mjs";
import { PenDialog } from "./dialog.mjs";
import { PenGantt } from "./gantt.mjs";
import { PenHold } from "./hold.mjs";
import { PenKeys } from "./keys.mjs";
import { PenOptions } from "./options.mjs";
import { PenPdf } from "./pdf.mjs";
import { placePopovers } from "./popover.mjs";
import { sayMomentsOnPaper } from "./paper.mjs";
import { PenSkip } from "./skip.mjs";
import { PenViewport } from "./viewport.mjs";
import { PenWindow } from "./window.mjs";

customElements.define("pen-age", PenAge);
customElements.define("pen-time", PenTime);
customElements.define("pen-copies", PenCopies);
customElements.define("pen-span", PenSpan);
customElements.define("pen-chart", PenChart);
customElements.define("pen-dialog", PenDialog);
customElements.define("pen-gantt", PenGantt);
customElements.define("pen-hold", PenHold);
customElements.define("pen-keys", PenKeys);
customElements.define("pen-options", PenOptions);
customElements.define("pen-pdf", PenPdf);
customElements.define("pen-skip", PenSkip);
customElements.define("pen-viewport", PenViewport);
customElements.define("pen-window", PenWindow);
placePopovers();
sayMomentsOnPaper();
