"""The style of a card: the theme's colours where a notebook has one, else the system's.

The class is doubled because notebooks style the elements of outputs (JupyterLab floats `dt`).
"""

from typing import Final

STYLE: Final = """\
.asi1 { color-scheme: light dark; max-width: 46rem; font-size: 14px; line-height: 1.5;
  --fg: var(--jp-content-font-color1, var(--vscode-editor-foreground, #1f2328));
  --soft: var(--jp-content-font-color2, var(--vscode-descriptionForeground, #59636e));
  --line: var(--jp-border-color2, var(--vscode-panel-border, #d1d9e0));
  --paper: var(--jp-layout-color1, var(--vscode-editor-background, #ffffff));
  --tint: var(--jp-layout-color2, var(--vscode-textCodeBlock-background, #f3f5f7));
  --link: var(--jp-content-link-color, var(--vscode-textLink-foreground, #0860ca));
  --good: var(--jp-success-color1, #1a7f37); --bad: var(--jp-error-color1, #cf222e);
  --wait: var(--jp-warn-color1, #9a6700); --accent: var(--jp-brand-color1, #0969da);
  color: var(--fg); font-family: var(--jp-content-font-family, system-ui, sans-serif); }
@media (prefers-color-scheme: dark) { .asi1 {
  --fg: var(--jp-content-font-color1, var(--vscode-editor-foreground, #e6edf3));
  --soft: var(--jp-content-font-color2, var(--vscode-descriptionForeground, #9198a1));
  --line: var(--jp-border-color2, var(--vscode-panel-border, #3d444d));
  --paper: var(--jp-layout-color1, var(--vscode-editor-background, #0d1117));
  --tint: var(--jp-layout-color2, var(--vscode-textCodeBlock-background, #1c2128));
  --link: var(--jp-content-link-color, var(--vscode-textLink-foreground, #6cb0ff));
  --good: var(--jp-success-color1, #3fb950); --bad: var(--jp-error-color1, #ff7b72);
  --wait: var(--jp-warn-color1, #d29922); --accent: var(--jp-brand-color1, #4493f8); } }
.asi1.asi1 * { box-sizing: border-box; }
.asi1.asi1 :is(p, ul, ol, dl, dd, pre, h4, h5, h6, table, blockquote) { margin: 0; }
.asi1.asi1 .asi1-card { background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem .9rem; margin: .4rem 0; display: grid; gap: .7rem; overflow-wrap: anywhere;
  grid-template-columns: minmax(0, 1fr); }
.asi1.asi1 .asi1-asked { border-left: 3px solid var(--soft); }
.asi1.asi1 .asi1-answer { border-left: 3px solid var(--accent); }
.asi1.asi1 h4 { font-size: .78rem; font-weight: 600; color: var(--soft); letter-spacing: .03em;
  line-height: 1.4; padding: 0; }
.asi1.asi1 :is(h5, h6) { font-size: 1em; font-weight: 600; line-height: 1.4; }
.asi1.asi1 .asi1-prose { white-space: pre-wrap; }
.asi1.asi1 .asi1-said { display: grid; gap: .5rem; grid-template-columns: minmax(0, 1fr); }
.asi1.asi1 .asi1-said :is(ul, ol) { padding-left: 1.6rem; }
.asi1.asi1 .asi1-said blockquote { border-left: 3px solid var(--line); padding-left: .7rem;
  color: var(--soft); }
.asi1.asi1 .asi1-said hr { width: 100%; border: 0; border-top: 1px solid var(--line); margin: 0; }
.asi1.asi1 .asi1-said table { border-collapse: collapse; font-size: inherit; width: max-content;
  max-width: 100%; }
.asi1.asi1 .asi1-said :is(th, td) { border: 1px solid var(--line); padding: .15rem .5rem; }
.asi1.asi1 :is(code, pre) { font-family: var(--jp-code-font-family, ui-monospace, monospace);
  font-size: .9em; background: var(--tint); color: inherit; border-radius: 4px; }
.asi1.asi1 code { padding: .08em .3em; }
.asi1.asi1 pre { white-space: pre-wrap; padding: .5rem .6rem; }
.asi1.asi1 pre code { padding: 0; background: none; }
.asi1.asi1 a { color: var(--link); text-decoration: underline; }
.asi1.asi1 summary { cursor: pointer; color: var(--soft); width: fit-content; border-radius: 4px; }
.asi1.asi1 :is(summary, a, code):focus-visible { outline: 2px solid var(--accent);
  outline-offset: 2px; }
.asi1.asi1 details[open] > summary { margin-bottom: .3rem; }
.asi1.asi1 .asi1-thought { border-left: 3px solid var(--line); padding-left: .7rem;
  color: var(--soft); font-style: italic; }
.asi1.asi1 :is(.asi1-steps, .asi1-agents) { list-style: none; padding: 0; margin-top: .25rem; }
.asi1.asi1 .asi1-steps { counter-reset: step; }
.asi1.asi1 .asi1-steps > li { counter-increment: step; position: relative;
  padding: 0 0 .55rem 2rem; }
.asi1.asi1 .asi1-steps > li:last-child { padding-bottom: 0; }
.asi1.asi1 .asi1-steps > li::before { content: counter(step); position: absolute; left: 0;
  top: .05rem; width: 1.35rem; height: 1.35rem; border-radius: 50%; background: var(--tint);
  border: 1px solid var(--line); font-size: .72rem; line-height: 1.25rem; text-align: center;
  color: var(--fg); }
.asi1.asi1 .asi1-steps > li:not(:last-child)::after { content: ""; position: absolute; left: .65rem;
  top: 1.5rem; bottom: .05rem; border-left: 1px solid var(--line); }
.asi1.asi1 dl { display: grid; gap: 0 .7rem;
  grid-template-columns: fit-content(40%) minmax(0, 1fr); }
.asi1.asi1 :is(dt, dd) { float: none; width: auto; display: block; margin: 0; padding: 0; }
.asi1.asi1 dt { color: var(--soft); font-weight: 400; }
.asi1.asi1 .asi1-agents { display: grid; gap: .5rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.asi1.asi1 .asi1-agents > li { border: 1px solid var(--line); border-radius: 6px;
  padding: .45rem .6rem; }
.asi1.asi1 .asi1-agents.asi1-wide { grid-template-columns: minmax(0, 1fr); }
.asi1.asi1 .asi1-name { font-weight: 600; }
.asi1.asi1 .asi1-soft { color: var(--soft); }
.asi1.asi1 .asi1-whole { user-select: all; display: inline-block; }
.asi1.asi1 .asi1-problem { color: var(--fg); border-left: 3px solid var(--bad); padding-left: .5rem;
  margin-top: .25rem; font-size: .92em; }
.asi1.asi1 .asi1-badge { display: inline-block; border: 1px solid currentColor; border-radius: 1rem;
  padding: 0 .55rem; font-size: .78rem; font-weight: 600; margin-left: .35rem; }
.asi1.asi1 .asi1-allowed { color: var(--good); } .asi1.asi1 .asi1-pending { color: var(--wait); }
.asi1.asi1 :is(.asi1-refused, .asi1-failed) { color: var(--bad); }
.asi1.asi1 .asi1-about { font-size: .85em; border-top: 1px solid var(--line); padding-top: .5rem;
  color: var(--soft); }
.asi1.asi1 .asi1-about:empty { display: none; }
.asi1.asi1 .asi1-rating { white-space: nowrap; }
.asi1.asi1 .asi1-about dd { color: var(--fg); }
.asi1.asi1 .asi1-waiting { color: var(--fg); border: 1px solid var(--wait); border-radius: 6px;
  padding: .2rem .6rem; width: fit-content; }
.asi1.asi1 .asi1-live { background: var(--paper); color: var(--soft); width: fit-content; }
.asi1.asi1 .asi1-scroll { overflow-x: auto; }
.asi1.asi1 .asi1-graph { display: block; color: var(--fg); max-width: none; height: auto; }
.asi1.asi1 .asi1-graph .asi1-node rect { fill: var(--tint); }
.asi1.asi1 .asi1-graph .asi1-agent rect { stroke-width: 1.5; }
"""
