"""What a person reads: `summary.md`, `accuracy.png` and `report.html`."""
