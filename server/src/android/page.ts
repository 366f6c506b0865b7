import { permissionPurposes } from './permissions.ts'
import { pictures } from './pictures.ts'
import type { Published } from './store.ts'
import { en, id, type InstallWords } from './words.ts'

const languages = { id, en }

/** Versions of Android by their API levels, as their owners know them. */
const androids: Readonly<Record<number, string>> = { 24: '7', 25: '7.1', 26: '8', 27: '8.1', 28: '9', 29: '10', 30: '11', 31: '12', 32: '12L', 33: '13', 34: '14', 35: '15', 36: '16', 37: '17' }

/**
 * The page that explains how Sigmon is installed: without a script, for the browser of a phone of 2016 too.
 * @param found null where nothing is handed out: then it points to the app in the browser
 * @param url of the platform, for commands that are typed elsewhere
 */
export function installPage(found: Published | null, language: keyof typeof languages, url: string): string {
  const words = languages[language]
  return `<!doctype html>
<html lang="${words.lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${words.title}</title>
<link rel="icon" href="/sigmon/icon.svg">
<style>${style}</style>
</head>
<body>
<header><a href="/android/${words.other === 'en' ? '?lang=en' : ''}" hreflang="${words.other}" lang="${words.other}">${words.otherName}</a></header>
<main>
<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
${found === null ? `<p class="note">${words.none}</p>` : handedOut(found, words, url)}
<h2>${words.without}</h2>
<p>${words.withoutHow}</p>
<p><a class="button" href="/sigmon/">${words.web}</a></p>
</main>
</body>
</html>
`
}

function handedOut(found: Published, words: InstallWords, url: string): string {
  const { versionCode, versionName, bytes, minSdk } = found
  const android = words.androidFrom(androids[minSdk] === undefined ? `Android API ${minSdk}` : `Android ${androids[minSdk]}`)
  const size = bytes < 100_000 ? `${new Intl.NumberFormat(words.locale).format(Math.ceil(bytes / 1_000))} kB` : `${new Intl.NumberFormat(words.locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(bytes / 1_000_000)} MB`
  const step = (name: string, how: string, picture: keyof typeof pictures, says: string): string => `<li>${pictures[picture](escaped(says))}<div><h3>${name}</h3><p>${how}</p></div></li>`
  return `<p><a class="button solid" href="/android/sigmon-${versionCode}.apk" download>${words.download}</a></p>
<p>${words.facts(escaped(versionName), size, android)}</p>
<p class="note">${words.warning}</p>
<h2>${words.steps}</h2>
<ol>
${step(words.one, words.oneHow, 'download', words.onePicture)}
${step(words.two, words.twoHow, 'allow', words.twoPicture)}
${step(words.three, words.threeHow, 'open', words.threePicture)}
</ol>
<h2>${words.asks}</h2>
<p>${words.asksNot}</p>
<dl>
${[...byPurpose(found.permissions, words)].map(([purpose, names]) => `<div><dt>${purpose}</dt><dd><code>${escaped(names.join(', '))}</code></dd></div>`).join('\n')}
</dl>
${genuine(found, words, url)}`
}

/** What for, and Android's names of all that is asked for it. */
function byPurpose(permissions: readonly string[], { lang }: InstallWords): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const name of permissions) {
    const purpose = permissionPurposes[name]?.[lang === 'en' ? 'en' : 'id'] ?? ''
    found.set(purpose, [...found.get(purpose) ?? [], name.replace(/^android\.permission\./, '')])
  }
  return found
}

function genuine({ versionCode, versionName, sha256, certificate, publishedAt, leaf }: Published, words: InstallWords, url: string): string {
  const day = new Intl.DateTimeFormat(words.locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'Asia/Jakarta' }).format(publishedAt)
  const rows = [
    [words.fingerprint, `<code>${inFours(sha256)}</code>`], [words.certificate, `<code>${inFours(certificate)}</code>`], [words.version, `${escaped(versionName)} (${versionCode})`], [words.published, `${day} WIB`],
    [words.leaf, leaf === null ? words.leafNone : `${leaf}. ${words.leafHow}`],
  ]
  return `<h2>${words.check}</h2>
<p>${words.checkHow}</p>
<dl>
${rows.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('\n')}
</dl>
<p><a href="/acts/checkpoint">${words.log}</a> <a href="/acts/key">${words.key}</a></p>
<p>${words.computer}</p>
<pre tabindex="0">sha256sum sigmon-${versionCode}.apk
npm run -s kawal -- verify android sigmon-${versionCode}.apk ${escaped(url)}/acts --key ${words.keyWord}</pre>`
}

/** As people compare them, group by group. */
const inFours = (hex: string): string => hex.replace(/.{4}(?=.)/g, '$& ')

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => entities[sign] ?? '')

/** Sigmon's colours; nothing that a browser of 2016 does not lay out. */
export const style = `
:root { --ink: #111; --soft: #3a3f47; --paper: #fff; --panel: #f1f4f8; --brand: #0b3d6b; --on-brand: #fff; --rule: #c6ccd5; --note: #fff4ec; --note-line: #8a2b00; --focus: #b35900; --good: #0a6b2d; font: 100%/1.5 system-ui, Roboto, "Noto Sans", sans-serif; color: #111; color: var(--ink); background: var(--paper) }
@media (prefers-color-scheme: dark) { :root { --ink: #f2f5fa; --soft: #c9d0dc; --paper: #0e1420; --panel: #1a2333; --brand: #a9d0ff; --on-brand: #08182b; --rule: #3a475e; --note: #33210f; --note-line: #ff9d5c; --focus: #ffd166; --good: #7fe0a0 } }
* { box-sizing: border-box }
body { margin: 0; overflow-wrap: break-word }
header, main { max-width: 44rem; margin: 0 auto; padding: 0 1rem }
header { text-align: right }
header a { display: inline-block; padding: .7rem 0 }
main { padding-bottom: 3rem }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2 }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.25rem; line-height: 1.3 }
h3 { margin: 0; font-size: 1.05rem }
p { margin: .7rem 0 }
a { color: var(--brand); font-weight: 600; margin-right: 1rem }
:focus { outline: 3px solid var(--focus); outline-offset: 2px }
.lead { color: var(--soft) }
.button { display: block; max-width: 24rem; margin: 0; padding: .9rem 1rem; border: 2px solid var(--brand); border-radius: 10px; text-align: center; text-decoration: none }
.solid { background: var(--brand); color: var(--on-brand); font-size: 1.2rem }
.note { padding: .6rem .8rem; border-left: 6px solid var(--note-line); background: var(--note) }
ol { margin: 0; padding: 0; list-style: none }
li { display: flex; flex-wrap: wrap; padding: 1rem; margin-bottom: .8rem; border-radius: 12px; background: var(--panel) }
li svg { flex: none; width: 7.5rem; height: 9.5rem; margin: 0 1.2rem .6rem 0 }
li div { flex: 1 1 12rem; min-width: 0 }
dl { margin: .6rem 0 }
dl div { padding: .5rem 0; border-bottom: 1px solid var(--rule) }
dt { font-weight: 600 }
dd { margin: 0; overflow-wrap: anywhere; word-break: break-word }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", "Droid Sans Mono", monospace }
dd code { color: var(--soft); font-size: .9rem }
pre { padding: .8rem; border-radius: 8px; background: var(--panel); white-space: pre-wrap; word-break: break-word; font-size: .9rem }
.frame { fill: var(--paper); stroke: var(--ink); stroke-width: 3 }
.ink { fill: var(--ink) }
.line { fill: none; stroke: var(--rule); stroke-width: 6; stroke-linecap: round }
.fill { fill: var(--brand) }
.stroke { fill: none; stroke: var(--brand); stroke-width: 6; stroke-linecap: round; stroke-linejoin: round }
.on { fill: none; stroke: var(--on-brand); stroke-width: 5; stroke-linecap: round; stroke-linejoin: round }
.dot { fill: var(--on-brand) }
.good { fill: var(--good) }
.number { fill: var(--on-brand); font: bold 20px sans-serif; text-anchor: middle }
`
