// The first script of the page: plain old JavaScript, so that it also runs where nothing else can, and says so.
// It owns the boot screen (its markup is in index.html) and `globalThis.penstock` until Python replaces it.
(function () {
  "use strict";
  var root = document.documentElement;
  var version = root.getAttribute("data-version");
  var build = root.getAttribute("data-build");
  var began = performance.now();
  var stage = "page";
  var errors = [];
  var timings = [];
  var notices = [];
  // Booted or failed: nothing more is shown.
  var over = false;

  function find(name) {
    return document.querySelector("[data-boot=" + name + "]");
  }

  function mark(name) {
    stage = name;
    timings.push({ stage: name, at_ms: Math.round(performance.now() - began) });
  }

  /** Says which step runs: `title` for people. */
  function step(name, title) {
    if (over) return;
    mark(name);
    var place = find("step");
    if (place) place.textContent = title;
  }

  /** Shows how many of how many bytes have arrived. */
  function progress(loaded, total) {
    var bar = find("bar");
    if (over || !bar || !total) return;
    bar.max = total;
    bar.value = loaded;
    var mb = function (bytes) {
      return (bytes / 1e6).toFixed(1);
    };
    find("bytes").textContent = mb(loaded) + " of " + mb(total) + " MB";
  }

  /** Ends the boot with `title` (what happened), `advice` (what to do) and folded `details`. The first failure stays. */
  function fail(title, advice, details) {
    errors.push({ stage: stage, title: title, advice: advice, details: details ? String(details) : undefined });
    if (over) return;
    over = true;
    mark("failed");
    var screen = find("screen");
    if (!screen) return;
    screen.setAttribute("data-state", "failed");
    find("title").textContent = title;
    find("advice").textContent = advice;
    if (details) {
      find("details").textContent = String(details);
      find("more").hidden = false;
    }
    find("failure").hidden = false;
    find("work").hidden = true;
  }

  /** Keeps a sentence that is worth knowing but stops nothing; the console shows `penstockHost.notices`. */
  function notice(text) {
    notices.push(text);
    var place = find("notice");
    if (over || !place) return;
    place.textContent = text;
    place.hidden = false;
  }

  /** Takes the screen away: the console is painted. */
  function done() {
    if (over) return;
    over = true;
    mark("booted");
    var screen = find("screen");
    if (screen) screen.remove();
  }

  try {
    // The choices of the settings page, before anything is painted (pyapp/pages/preferences.py keeps them).
    var choices = { theme: ["light", "dark"], density: ["compact"], shortcuts: ["off"] };
    for (var name in choices) {
      var choice = localStorage.getItem("penstock." + name);
      if (choices[name].indexOf(choice) >= 0) root.setAttribute("data-" + name, choice);
    }
  } catch (error) {
    // Storage is switched off: what is usual it is.
  }

  window.penstock = {
    version: version,
    diagnostics: function () {
      var state = { version: version, build: build, stage: stage, errors: errors, notices: notices, timings: timings };
      return JSON.stringify(state, null, 2);
    },
  };
  window.penstockBoot = {
    step: step,
    progress: progress,
    fail: fail,
    notice: notice,
    done: done,
    notices: notices,
    failed: function () {
      return errors.length > 0;
    },
  };

  // A script of the page that did not arrive: the event does not bubble, but it can be captured.
  window.addEventListener(
    "error",
    function (event) {
      var source = event.target && event.target.tagName === "SCRIPT" && event.target.src;
      if (!source) return;
      var advice = source.split("/").pop() + " is missing. Check the connection, then reload.";
      fail("A file of the console did not load", advice, source);
    },
    true
  );
  document.addEventListener("click", function (event) {
    if (event.target.getAttribute && event.target.getAttribute("data-boot") === "reload") location.reload();
  });

  if (!("noModule" in HTMLScriptElement.prototype) || typeof Map === "undefined") {
    fail("This browser is too old", "Penstock needs JavaScript modules: use a current Firefox, Chrome, Edge or Safari.");
  } else if (typeof WebAssembly === "undefined" || !WebAssembly.instantiateStreaming) {
    fail(
      "This browser cannot run WebAssembly",
      "Penstock runs Python as WebAssembly. Allow it for this site (some hardened profiles turn it off) or use another browser.",
    );
  } else {
    find("work").hidden = false;
    step("scripts", "Loading scripts");
  }
})();
