"""One module for each generated page or group of pages. Each has ``pages()``: path below docs/reference to text."""
