// PyScript watches the whole document for scripts that are added later. The console adds none, and every row that it draws
// would be searched for them: a twelfth of the page's work at 2,000 events a second.

/** Notes who begins to watch the document; the function that is given back ends them all. */
export function noteDocumentObservers() {
  const { prototype } = MutationObserver;
  const { observe } = prototype;
  const found = [];
  prototype.observe = function (target, options) {
    if (target === document) found.push(this);
    return observe.call(this, target, options);
  };
  return () => {
    prototype.observe = observe;
    for (const observer of found) observer.disconnect();
  };
}
