// The JavaScript of the console, one bundle: the custom elements, and on `penstockHost` what Python calls, by the names
// under which the modules export it.

import * as bridge from "./bridge.mjs";
import { setMoments } from "./elements/clock.mjs";
import { marks } from "./marks.mjs";
import * as ports from "./ports.mjs";
import * as tabs from "./tabs.mjs";
import "./elements/index.mjs";

globalThis.penstockHost = Object.assign(globalThis.penstockHost ?? {}, bridge, ports, tabs, { marks, setMoments });
