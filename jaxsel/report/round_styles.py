"""What a round's page looks like beside what all pages do."""

ROUND_STYLES = """
.lede { max-width: 46rem; font-size: 1.06rem; }
h1 { overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; row-gap: .35rem; }
.facts {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: 1px; background: var(--rule); border: 1px solid var(--rule);
  border-radius: 6px; overflow: hidden; margin: 0 0 1.2rem;
}
.facts div {
  background: #fff; padding: .7rem .9rem; display: flex;
  flex-direction: column-reverse; justify-content: flex-end;
}
.facts dt { color: var(--soft); font-size: .82rem; line-height: 1.3; }
.facts dd { margin: 0; font-size: 1.6rem; line-height: 1.2; letter-spacing: -.01em; }
.headline { font-size: 1.12rem; }
figure svg { width: 100%; max-width: 40rem; }
figcaption { max-width: 40rem; }
ol.picks {
  list-style: none; margin: 1rem 0 0; padding: 0; display: grid;
  grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: 1rem .6rem;
}
ol.picks li { font-size: .74rem; line-height: 1.3; min-width: 0; }
ol.picks .frame {
  position: relative; height: 106px; max-width: 106px; background: var(--tint);
  border: 1px solid var(--rule); border-radius: 3px; overflow: hidden;
  display: flex; align-items: center; justify-content: center;
}
ol.picks img { display: block; max-width: 100%; max-height: 100%; }
ol.picks img.small { image-rendering: pixelated; max-width: none; max-height: none; }
ol.picks .who {
  margin-top: .25rem; overflow-wrap: anywhere; display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
}
ol.picks b { font-size: .85rem; }
.for { color: var(--soft); display: flex; align-items: center; gap: .4em; }
.share {
  display: inline-block; width: 2.6rem; height: .38rem; background: #e8ecef;
  border-radius: 2px; overflow: hidden; vertical-align: middle;
}
.share i { display: block; height: 100%; min-width: 1px; background: #7fa6c9; }
.share, .share i, .badge, .severity {
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
.manifest th { width: 9rem; white-space: normal; }
table.picks { width: 100%; max-width: 46rem; margin: 0; }
table.picks .share { width: 5rem; margin-left: .7rem; }
table.picks .who {
  text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 8rem;
}
.tall {
  max-height: 33rem; overflow-y: auto; max-width: 46rem; padding: 0 .9rem .4rem;
  border: 1px solid var(--rule); border-radius: 6px;
}
.tall thead th {
  position: sticky; top: 0; background: #fff; border-bottom: 0;
  box-shadow: inset 0 -1.5px var(--ink);
}
.tall caption { padding-top: .6rem; }
.badge {
  font-size: .66rem; line-height: 1; padding: .18rem .3rem; border-radius: 2px;
  background: #5c666d; color: #fff;
}
.frame .badge { position: absolute; left: 0; top: 0; border-radius: 0 0 3px 0; }
td .badge { margin-left: .6em; white-space: nowrap; }
.unusable .badge { background: #b3261e; }
.unusable img { opacity: .35; }
tr.unusable .who { color: var(--soft); }
.remarks { list-style: none; padding: 0; margin: 0; }
.remarks li {
  display: grid; grid-template-columns: 5.2rem 1fr; gap: .8rem; max-width: none;
  padding: .6rem 0; border-bottom: 1px solid var(--rule);
}
.remarks p { margin: 0; overflow-wrap: anywhere; font-size: .93rem; line-height: 1.5; }
.remarks .names { color: var(--soft); font-size: .85rem; margin-top: .2rem; }
.severity {
  justify-self: start; align-self: start; font-size: .74rem; font-weight: 600;
  padding: .1rem .5rem; border-radius: 999px; background: #e8ecef; color: #3b454c;
}
.severity.warning { background: #fdebc8; color: #7a4b00; }
.severity.error { background: #f9d6d3; color: #8c1d18; }
.rules { margin: 0; }
.rules div {
  display: grid; grid-template-columns: 11rem 1fr; gap: .8rem; padding: .45rem 0;
  border-bottom: 1px solid var(--rule);
}
.rules dt { font-weight: 500; }
.rules dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 34rem) {
  body { padding: 1.6rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  .facts { grid-template-columns: 1fr 1fr; }
  .facts dd { font-size: 1.3rem; }
  .remarks li, .rules div { grid-template-columns: 1fr; gap: .3rem; }
  table.picks .share { display: none; }
  th, td { padding: .32rem .5rem; }
}
@media (min-width: 60rem) {
  body { max-width: 68rem; }
  main { display: grid; grid-template-columns: 1fr 1fr; column-gap: 2.6rem; }
  section { grid-column: 1 / -1; min-width: 0; }
  #coverage, #map, #norms, #findings { grid-column: auto; }
  .manifest { columns: 2; column-gap: 2.6rem; }
  .manifest table { break-inside: avoid; margin-top: 0; }
}
@media print { .tall { max-height: none; overflow: visible; border: 0; padding: 0; } }
""".strip()
