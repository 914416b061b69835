/** The one look of all pages of the sandbox, without a file or a font to fetch. */
export const STYLE = `
:root{color-scheme:light;--ink:#1d2129;--soft:#5a626e;--line:#e3e6eb;--ground:#f3f4f6;--paper:#fff;--blue:#0f5fc4;--green:#07803d;--red:#c02525;--sand:#fff4dc;--sand-ink:#704600}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;overflow-wrap:anywhere}
h1,h2,h3,p,dl,dd,ul,figure{margin:0;padding:0}h1{font-size:24px;line-height:1.3}h2{font-size:17px;line-height:1.4}header h2{font-size:24px;line-height:1.3}ul{list-style:none}
a{color:var(--blue);text-decoration:none}a:hover{text-decoration:underline}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
.band{display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;padding:8px 16px;background:var(--sand);color:var(--sand-ink);font-size:14px}
.band b{flex:none;padding:0 8px;border-radius:4px;background:var(--sand-ink);color:var(--sand)}
.band .en{font-size:13px}
nav{display:flex;gap:4px;padding:0 8px;background:var(--paper);border-bottom:1px solid var(--line);overflow-x:auto}
nav a{flex:none;padding:0 10px;line-height:46px;color:var(--ink);border-bottom:2px solid transparent}
nav a[aria-current]{border-color:var(--blue);color:var(--blue);font-weight:600}
.page{max-width:1080px;margin:0 auto;padding:24px 16px 64px}.narrow{max-width:480px}
.en,.soft{color:var(--soft)}.en{font-size:13px}.soft{font-size:14px}.lead{margin-top:4px;color:var(--soft)}
.stack>*+*{margin-top:16px}.grid{display:grid;gap:16px;grid-template-columns:minmax(0,1fr)}
.panel{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px}
.panel>h2+*{margin-top:8px}.panel>*+form,.panel>*+.acts{margin-top:12px}.panel>*+table{margin-top:8px}
.tile{display:block;color:inherit}.tile:hover{text-decoration:none;border-color:var(--blue)}.tile h2{color:var(--blue)}.tile p{margin-top:4px}
label{display:block;font-size:14px;color:var(--soft)}
label input,label select,label textarea{margin-top:4px}
input,select,textarea{display:block;width:100%;min-height:44px;padding:8px 12px;border:1px solid #b9bfc9;border-radius:8px;background:var(--paper);color:var(--ink);font:inherit}
.fields{display:grid;gap:12px;grid-template-columns:minmax(0,1fr)}
button,.button{display:inline-block;min-height:44px;padding:9px 18px;border:1px solid #b9bfc9;border-radius:8px;background:var(--paper);color:var(--ink);font:inherit;line-height:24px;cursor:pointer;text-align:center}
button:hover,.button:hover{border-color:var(--blue);color:var(--blue);text-decoration:none}
button.main,.button.main{background:var(--blue);border-color:var(--blue);color:#fff}button.main:hover{background:#0b4fa6}
.acts{display:flex;flex-wrap:wrap;gap:8px}.acts form{margin:0}
fieldset{min-width:0;margin:0}legend{float:left;width:100%;padding:0;font-size:17px;font-weight:600}legend+*{clear:both}.pick{display:flex;gap:12px;align-items:center;min-height:44px;color:var(--ink);font-size:16px}.pick input{flex:none;width:20px;min-height:20px;margin:0}
.told{padding:12px 16px;border-radius:8px;background:#e7f5ec;color:#0a5d30}.told.bad{background:#fdecec;color:#96201f}
.empty{padding:32px 16px;text-align:center;color:var(--soft)}
table{width:100%;border-collapse:collapse;font-size:14px}th{color:var(--soft);font-weight:500;white-space:nowrap}
th,td{padding:10px 12px 10px 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
tr:last-child td{border-bottom:0}.num,.when{font-variant-numeric:tabular-nums}.when{white-space:nowrap}td.num,th.num{text-align:right;white-space:nowrap}
code{font:13px/1.5 ui-monospace,"SFMono-Regular","DejaVu Sans Mono",monospace}
.facts{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:6px 16px;font-size:14px}.facts dt{color:var(--soft)}
.stats{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(132px,1fr))}.stats dt{font-size:13px;color:var(--soft)}.stats dd{font-size:20px;font-weight:600;line-height:1.3}
.tag{display:inline-block;padding:0 8px;border-radius:4px;background:#e8eefb;color:#1b4fa0;font-size:12px;line-height:20px;white-space:nowrap}
.tag.good{background:#e2f4e8;color:#0a5d30}.tag.sand{background:var(--sand);color:var(--sand-ink)}[data-last]{scroll-margin-bottom:24px}.tag.off{background:#eceef1;color:var(--soft)}.tag.bad{background:#fdecec;color:#96201f}
.hide{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.dial{display:grid;gap:8px 16px;padding:14px 0;border-bottom:1px solid var(--line)}.dial:last-child{border-bottom:0}
.dial h3{font-size:15px}.dial p{font-size:14px;color:var(--soft)}.dial form{display:flex;flex-wrap:wrap;gap:8px;align-items:flex-end;justify-content:flex-end}
.dial label{font-size:12px;flex:1 1 84px}.dial label.wide{flex:1 1 100%}.dial input,.dial select{padding:6px 8px}.dial button{flex:none}
.picks{max-height:280px;overflow-y:auto;border:1px solid var(--line);border-radius:8px;padding:4px 12px}fieldset{margin:0;padding:0;border:0;min-width:0}legend{padding:0 0 4px;font-size:14px;color:var(--soft)}
.pager{display:flex;gap:8px;justify-content:space-between;align-items:center;padding:12px 16px;font-size:14px;color:var(--soft)}
.cash{text-align:center}.cash .fen{font-size:44px;font-weight:600;line-height:1.2;font-variant-numeric:tabular-nums}
.cash form button{width:100%}.cash button.main{background:var(--green);border-color:var(--green)}.cash button.main:hover{background:#066632}.choice{display:grid;gap:4px}.choice+.choice{margin-top:14px}.choice .soft{text-align:center;font-size:13px}
.order{display:grid;gap:2px 12px;grid-template-columns:minmax(0,1fr) max-content;padding:14px 16px;border-bottom:1px solid var(--line);color:inherit}
.order:hover{background:#f7f9fc;text-decoration:none}.order b{font-variant-numeric:tabular-nums}.list{padding:0;overflow:hidden}.list li:last-child .order{border-bottom:0}
.people a{display:grid;grid-template-columns:44px minmax(0,1fr) max-content;gap:12px;align-items:center;min-height:64px;padding:8px 16px;color:inherit;border-bottom:1px solid #f0f1f3}
.people a:hover,.people a[aria-current]{background:#eef3fb;text-decoration:none}
.face{display:grid;place-items:center;width:44px;height:44px;border-radius:8px;background:#2f6fd0;color:#fff;font-size:17px}.face.app{background:#c2410c}.face.out{background:#5a626e}
.unread{min-width:20px;padding:0 6px;border-radius:10px;background:#d92d20;color:#fff;font-size:12px;line-height:20px;text-align:center}
.one{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.find{padding:12px 16px;display:flex;gap:8px}.find input{flex:1}
.phones{display:grid;grid-template-columns:minmax(0,1fr)}
.phone{background:#ededf0;min-height:calc(100vh - 108px);padding-bottom:32px}
.phone .bar{position:sticky;top:0;z-index:1;display:grid;grid-template-columns:64px minmax(0,1fr) 64px;align-items:center;min-height:52px;background:#f7f7f8;border-bottom:1px solid #dcdde0;text-align:center}
.phone .bar h2{font-size:17px;font-weight:600}.phone .bar a{line-height:52px;padding:0 16px;text-align:left;white-space:nowrap}
.phone .chats{background:var(--paper)}.time{margin:20px 0 10px;text-align:center;color:#646a73;font-size:12px}
.said{display:grid;grid-template-columns:40px minmax(0,290px);gap:10px;padding:0 14px}.said .face{width:40px;height:40px;font-size:15px}
.said.own{grid-template-columns:minmax(0,290px) 40px;justify-content:end}.said.own .face{grid-column:2;grid-row:1}.said.own .card{grid-column:1;grid-row:1;justify-self:end;background:#d3f2c8}.find.say{margin-top:24px}
.people button.row{display:grid;grid-template-columns:44px minmax(0,1fr) max-content;gap:12px;align-items:center;width:100%;min-height:64px;padding:8px 16px;border:0;border-bottom:1px solid #f0f1f3;border-radius:0;text-align:left}.people button.row img{display:block}
.card{display:block;overflow:hidden;border-radius:8px;background:var(--paper);color:inherit}a.card:hover{text-decoration:none;box-shadow:0 2px 10px #0002}
.card .in{padding:14px 14px 0}.card img{display:block;width:100%;aspect-ratio:2.25;object-fit:cover;background:#f2e6d8}
.card h2{font-size:17px}.card p{margin-top:4px;font-size:15px}.card .source{margin:0 0 6px;color:#646a73;font-size:13px}.card .big{margin:10px 0 0;font-size:28px;font-weight:600;text-align:center}
.card .rows{margin-top:10px;font-size:14px}.card .rows div{display:flex;gap:12px}.card .rows dt{flex:none;min-width:4em;color:#646a73}
.card .plain{display:block;color:inherit}.card .plain:hover{text-decoration:none}.press{display:grid;gap:8px;padding:12px 14px 14px}.press button,.press .button{width:100%;min-width:0}.press .red{border-color:var(--red);color:var(--red)}.press button:disabled{background:#f3f4f6;color:var(--soft);cursor:default}.press fieldset{margin:0;padding:0;border:0}.press legend{padding:0;font-size:14px;color:var(--soft)}.pick{display:flex;gap:8px;align-items:center;min-height:44px;font-size:15px;color:var(--ink)}.pick input{flex:none;width:20px;min-height:20px;margin:0}summary{min-height:44px;line-height:44px;font-size:14px;color:var(--blue);cursor:pointer}.press details button+button{margin-top:8px}
.card .more{display:flex;justify-content:space-between;margin-top:14px;padding:10px 14px;border-top:1px solid #eff0f2;font-size:14px;color:#646a73}.card .end{height:14px}
@media(min-width:900px){.dial label{flex:0 0 92px}.dial label.wide{flex:1 1 150px}.two{grid-template-columns:repeat(2,minmax(0,1fr))}.three{grid-template-columns:repeat(3,minmax(0,1fr))}
.fields.two{grid-template-columns:repeat(2,minmax(0,1fr))}.dial{grid-template-columns:minmax(0,1fr) 460px;align-items:center}.acts.end{justify-content:flex-end}
.phones{max-width:1080px;margin:24px auto;padding:0 16px;gap:24px;grid-template-columns:minmax(0,1fr) 402px;align-items:start}
.phones .panel{padding:0;overflow:hidden}.phone{position:sticky;top:16px;height:min(812px,calc(100vh - 132px));min-height:520px;overflow-y:auto;border:6px solid #22262d;border-radius:36px}
.phone .chats{min-height:100%}}
@media(max-width:480px){nav{gap:0;padding:0}nav a{flex:1 0 auto;padding:0 6px;font-size:14px;text-align:center}}
@media(max-width:899px){.phones.picked>.panel{display:none}.phones>.panel{border:0;border-radius:0;padding:0}.phones:not(.picked)>.phone{display:none}
.wide-only{display:none}table.fold,table.fold tbody,table.fold tr{display:block}table.fold thead{display:none}table.fold tr{padding:10px 0;border-bottom:1px solid var(--line)}
table.fold td{display:flex;gap:12px;justify-content:space-between;padding:2px 0;border:0;text-align:right;white-space:normal}table.fold td::before{content:attr(data-name);flex:none;color:var(--soft)}}
@media(prefers-reduced-motion:no-preference){a,button,.tile{transition:border-color .12s,background-color .12s}}`
