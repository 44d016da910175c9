/** How the page looks: the picture's colours, tables that can be read at length. */
import { pictureStyle } from '../picture/style.js';

export const pageStyle = `${pictureStyle}
* { box-sizing: border-box; } html { scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header, section { padding: .6rem 1.2rem; } h1 { font-size: 1.3rem; margin: .4rem 0; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: .8rem 0 .4rem; }
a { color: var(--goodEdge); } :focus-visible { outline: 2px solid var(--goodEdge); outline-offset: 1px; }
.bar-of-tools { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center;
  padding: .5rem 1.2rem; background: var(--lane); border-block: 1px solid var(--rule); }
.bar-of-tools label { display: flex; gap: .4rem; align-items: center; }
input, select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--faint); border-radius: 4px; padding: .15rem .4rem; }
.picture { overflow: auto; max-height: 75vh; border: 1px solid var(--rule); padding: 0; } .picture svg { display: block; }
table { border-collapse: collapse; } .attempts { width: 100%; } #jobs th { padding-right: 2rem; } th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; overflow-wrap: anywhere; }
thead th { border-bottom: 1px solid var(--faint); } tbody tr { border-bottom: 1px solid var(--rule); }
.portion { content-visibility: auto; contain-intrinsic-size: auto 4700px; overflow-x: auto; }
.portion:not(:has(tr[data-row]:not([hidden]))) { display: none; }
.attempts { table-layout: fixed; min-width: 62rem; } .attempts .narrow { width: 7.5rem; } th[scope=row] { font-weight: 600; }
ol { margin: .2rem 0 .4rem; padding-left: 0; list-style: none; } time { color: var(--faint); display: inline-block; min-width: 6.5rem; }
.number, time { font-variant-numeric: tabular-nums; } .outcome { font-weight: 600; } .outcome.failed, .outcome.lost { color: var(--bad); }
.outcome.revoked, .outcome.refused { color: var(--odd); } .facts { color: var(--faint); }
tr:target, li:target { background: var(--life); } .bar:target rect, .bar:has(:target) rect { stroke: var(--copy); stroke-width: 3; stroke-dasharray: none; }
kbd { border: 1px solid var(--faint); border-radius: 3px; padding: 0 .3rem; font: 12px ui-monospace, monospace; }
@media print { .bar-of-tools { display: none; } .picture { max-height: none; } }
`;
