// The JavaScript of the console, one bundle: the custom elements, and what Python calls, on one global object.

import "./elements/index.mjs";
