"""The report's look: one column of text, light, and the same on paper."""

STYLESHEET = """
:root { --ink: #1d2327; --soft: #5c666d; --rule: #d9dee2; --tint: #f5f7f8; }
* { box-sizing: border-box; }
html { background: #fff; color: var(--ink); }
body {
  margin: 0 auto; max-width: 62rem; padding: 3rem 1.5rem 4rem;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial,
    "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; letter-spacing: -.01em; }
h2 {
  font-size: 1.25rem; margin: 3rem 0 .8rem; padding-top: .9rem;
  border-top: 2px solid var(--ink);
}
h3 { font-size: 1rem; margin: 1.6rem 0 .5rem; }
p, li { max-width: 44rem; }
.lede { color: var(--soft); margin: 0 0 1.5rem; }
.note, figcaption { color: var(--soft); font-size: .85rem; }
nav { font-size: .9rem; }
nav a { color: #0b5a94; margin-right: 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .3rem 0 .6rem; }
.wide table { min-width: min(36rem, 100%); }
caption { text-align: left; color: var(--soft); font-size: .85rem; padding: 0 0 .4rem; }
th { white-space: nowrap; }
th, td { padding: .32rem .8rem; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 1.5px solid var(--ink); font-weight: 600; }
td, thead th { text-align: right; white-space: nowrap; }
th[scope=row], thead th:first-child { text-align: left; }
th[scope=row] { font-weight: 500; }
th:first-child { padding-left: 0; }
tr.pooled td { font-weight: 600; }
td.best { font-weight: 700; background: var(--tint); }
td .error { color: var(--soft); font-weight: 400; }
.swatch {
  display: inline-block; width: .7em; height: .7em; border-radius: 2px;
  margin-right: .5em; print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
figure { margin: 1rem 0 1.4rem; }
figure svg { display: block; max-width: 100%; height: auto; }
figure.sheet figcaption strong { color: var(--ink); }
.sheet ol {
  list-style: none; margin: .5rem 0 0; padding: 0;
  display: grid; grid-template-columns: repeat(auto-fill, minmax(5.3rem, 1fr));
  gap: .5rem .4rem;
}
.sheet li { font-size: .72rem; line-height: 1.25; overflow-wrap: anywhere; }
.sheet img {
  display: block; image-rendering: pixelated; margin-bottom: .15rem;
  border: 1px solid var(--rule);
}
.rank { color: var(--soft); }
.said { padding-left: 1.1rem; }
.manifest table { width: 100%; margin-bottom: 1.6rem; }
.manifest caption { color: var(--ink); font-weight: 600; font-size: .95rem; }
.manifest td {
  text-align: left; white-space: normal; overflow-wrap: anywhere;
  font: .82rem/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono",
    monospace;
}
.manifest th { width: 15rem; vertical-align: top; }
@media print {
  @page { margin: 16mm; }
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  nav { display: none; }
  h2, h3, caption, figcaption, .said { break-after: avoid; }
  tr, li, .wide, figure:not(.sheet) { break-inside: avoid; }
  .wide { overflow: visible; }
}
""".strip()
