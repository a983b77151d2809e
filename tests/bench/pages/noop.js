// A listener that does nothing but count, and says when it had as many as it was told to expect.
globalThis.benchApplied = 0;
globalThis.benchExpected = 0;
const source = new EventSource("/api/v1/events/stream");
source.onmessage = () => {
  if (++globalThis.benchApplied === globalThis.benchExpected) globalThis.benchDoneMs = Date.now();
};
source.addEventListener("hello", () => { globalThis.benchReady = true; });
