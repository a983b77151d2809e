"""The ports made from JavaScript: the only package that imports `js` or `pyodide`."""
