// The JavaScript that Python uses, on one global object. Each part says in its own file what it offers.

globalThis.penstockHost = Object.assign(globalThis.penstockHost ?? {}, {});
