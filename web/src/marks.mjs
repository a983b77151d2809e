// How the viewer's locale writes numbers and names days, read from `Intl` once: Python writes the figures (pyapp/numbers.py).

/** Any Monday. */
const MONDAY = Date.UTC(2026, 0, 5);
const DAY_MS = 86_400_000;

/** The viewer's locale with Latin digits and the common calendar: every figure of the console is tabular, and its fonts have no others. */
export const LOCALE = new Intl.Locale(new Intl.NumberFormat().resolvedOptions().locale, {
  numberingSystem: "latn", calendar: "gregory",
});

function parts(format, value, type) {
  return format.formatToParts(value).filter((part) => part.type === type).map((part) => part.value);
}

/** As JSON text: see `Marks`. */
export function marks() {
  const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 });
  const day = new Intl.DateTimeFormat(LOCALE, { weekday: "short", timeZone: "UTC" });
  const whole = parts(number, 123_456_789, "integer");
  const shortest = [4, 5].find((digits) => parts(number, 10 ** (digits - 1), "group").length > 0);
  return JSON.stringify({
    group: parts(number, 123_456_789, "group")[0] ?? "",
    decimal: parts(number, 1.5, "decimal")[0] ?? ".",
    further: whole.length > 2 ? whole.at(-2).length : 3,
    shortest: shortest ?? 99,
    weekdays: Array.from({ length: 7 }, (_, number) => day.format(MONDAY + number * DAY_MS)),
  });
}
