// The ports alone, for a page that is not the console: `pyapp.browser.connect` finds them on `penstockHost`.

import { createPorts } from "./ports.mjs";

globalThis.penstockHost = Object.assign(globalThis.penstockHost ?? {}, { createPorts });
