/** How pictures look, dark or light as the reader has it. Outcomes differ in their border and hatching; text says them too. */
export const pictureStyle = `
:root, svg { --paper: #fff; --ink: #1b1f24; --faint: #6b7480; --rule: #d8dde3; --lane: #f5f7f9; --life: #e6ebf0;
  --good: #cfe3f5; --goodEdge: #2f6ea5; --bad: #b3261e; --odd: #8a5a00; --copy: #5b4a9e; }
@media (prefers-color-scheme: dark) { :root, svg { --paper: #14171b; --ink: #e8ebee; --faint: #9aa4af; --rule: #343b43; --lane: #1b2026;
  --life: #262d35; --good: #1d4263; --goodEdge: #74b3e8; --bad: #ff8a80; --odd: #f0b452; --copy: #b3a4f2; } }
svg { background: var(--paper); color: var(--ink); font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); }
.paper { fill: var(--paper); } .lane { fill: var(--lane); } .rule, .tick { stroke: var(--rule); }
.axis, .small { fill: var(--faint); } .node { font-weight: 600; font-size: 12px; } .heading { font-weight: 600; font-size: 14px; }
.life { fill: var(--life); stroke: var(--faint); } .silence { fill: url(#silent); stroke: var(--odd); stroke-dasharray: 2 2; }
.silence.down, .silence.gone { stroke: var(--bad); } svg .silence-text { fill: var(--odd); }
.bar rect { fill: var(--good); stroke: var(--goodEdge); } .bar.open rect { fill: var(--paper); stroke: var(--faint); }
.bar.failed rect { fill: url(#failed); stroke: var(--bad); stroke-width: 1.6; } .bar.lost rect { fill: url(#lost); stroke: var(--bad); }
.bar.revoked rect { fill: var(--paper); stroke: var(--odd); stroke-dasharray: 6 3; }
.bar.refused rect { fill: url(#refused); stroke: var(--odd); stroke-dasharray: 2 2; } .bar.unbegun rect { fill: none; stroke-dasharray: 1 3; }
.hatch { stroke: var(--bad); stroke-width: 1.5; } .hatch.odd { stroke: var(--odd); } .hatch.faint { stroke: var(--faint); opacity: .4; }
.arrow { fill: none; stroke: var(--faint); stroke-width: .8; } .arrow.assignment { stroke: var(--goodEdge); }
.arrow.worded { stroke: var(--bad); stroke-width: 1.4; stroke-dasharray: 5 3; } svg .word { fill: var(--bad); font-weight: 600; }
.head { fill: var(--faint); } .head.worded { fill: var(--bad); } .head.assignment { fill: var(--goodEdge); }
.mark { stroke: var(--copy); } .label { font-size: 10.5px; } .halo { paint-order: stroke; stroke: var(--lane); stroke-width: 3px; }
`;
