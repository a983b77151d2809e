// A listener that does nothing but count.
globalThis.benchApplied = 0;
const source = new EventSource("/api/v1/events/stream");
source.onmessage = () => { globalThis.benchApplied += 1; };
source.addEventListener("hello", () => { globalThis.benchReady = true; });
