import { encode } from 'uqr'
import { formatLetterCode } from '@kawal/core/measurement/letter.ts'
import type { Side } from '@kawal/core/recap/slot.ts'

/** One station's part of the appointment letter of its officers, or of its supervisor. */
export interface Letter {
  /** 13 digits. */
  readonly station: string
  readonly village: string
  readonly district: string
  readonly regency: string
  readonly province: string
  /** 17 symbols. */
  readonly code: string
  /** What the QR holds: opens Sigmon with station, code and the key to trust filled in. */
  readonly link: string
}

/** In the fragment, which a browser sends to no server and writes into no log on the way. */
export function letterLink(url: string, station: string, code: string, kid: string): string {
  return `${url}/sigmon/#tps=${station}&kode=${encodeURIComponent(code)}&kunci=${kid}`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => entities[sign] ?? '')

/**
 * A page to print on A4: two letters a sheet, to be cut apart. Nothing is loaded from elsewhere and no script runs.
 * Black on white with a thin frame, for office printers that are low on toner.
 */
export function lettersPage(title: string, url: string, letters: readonly Letter[], role: Side = 'officer'): string {
  return `<!doctype html>
<html lang="id">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>${escaped(title)}</title>
<style>${style}</style>
${letters.map((letter) => article(letter, url, words[role])).join('\n')}
</html>
`
}

const style = `
@page { size: A4 portrait; margin: 0 }
* { box-sizing: border-box; margin: 0 }
body { width: 210mm; background: #fff; color: #000; font: 9.5pt/1.32 "Liberation Sans", Arial, Helvetica, sans-serif }
article { position: relative; width: 210mm; height: 148mm; padding: 9mm 16mm 7mm; break-inside: avoid; overflow: hidden; display: flex; flex-direction: column }
article:nth-of-type(odd) { border-bottom: .3mm dashed #777 }
article:nth-of-type(even) { break-after: page }
header { display: flex; justify-content: space-between; align-items: baseline; border-bottom: .6mm solid #000; padding-bottom: 2mm }
h1 { font-size: 14pt }
header p { font-weight: bold; border: .4mm solid #000; padding: .6mm 3mm; letter-spacing: .08em }
.place { display: flex; gap: 8mm; align-items: center; margin-top: 3mm }
.number { font-size: 28pt; font-weight: bold; white-space: nowrap; line-height: 1.1 }
.number small { display: block; font-size: 9.5pt; font-weight: normal; letter-spacing: .04em }
.names { font-size: 10.5pt; line-height: 1.25; overflow-wrap: anywhere }
.names b { font-size: 13pt }
.code { margin-top: 3mm; border: .6mm solid #000; padding: 2mm 4mm 2.4mm; text-align: center }
.code span { display: block; font-size: 9.5pt }
.code b { font: bold 27pt/1.2 "Liberation Mono", "Courier New", monospace; letter-spacing: .02em; white-space: nowrap }
.how { display: flex; gap: 7mm; align-items: start; margin-top: 3mm; flex: 1; min-height: 0 }
.how svg { width: 42mm; height: 42mm; flex: none }
ol { padding-left: 5mm; margin: 1mm 0 }
li { margin-bottom: .7mm }
footer { display: flex; flex: none; justify-content: space-between; gap: 6mm; font-size: 8pt; border-top: .3mm solid #000; padding-top: 1.4mm }
@media screen { article { box-shadow: 0 0 0 .3mm #ccc } }
`

/** Each row of dark modules as one bar: squares side by side show seams when they are printed. */
function qr(text: string): string {
  const { data, size } = encode(text, { ecc: 'M', border: 2 })
  const bars = data.flatMap((row, y) => [...row.map((dark) => (dark ? '1' : '0')).join('').matchAll(/1+/g)].map(({ 0: bar, index: x }) => `M${x} ${y}h${bar.length}v1h-${bar.length}z`))
  return `<svg viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img" aria-label="Kode QR"><path d="${bars.join('')}"/></svg>`
}

interface LetterWords { readonly title: string; readonly code: string; readonly what: string; readonly whose: string; readonly lost: string }

const words: Readonly<Record<Side, LetterWords>> = {
  officer: {
    title: 'Kode petugas untuk aplikasi Sigmon', code: 'Kode di surat tugas', what: 'dengan Sigmon petugas TPS memeriksa dan melaporkan sinyal, supaya gangguan cepat diperbaiki.',
    whose: 'Siapa yang memegang kode ini dapat melapor atas nama TPS ini. Kode berlaku untuk petugas satu TPS saja.', lost: 'petugas bantuan di kecamatan',
  },
  supervisor: {
    title: 'Kode Pengawas TPS (Bawaslu) untuk aplikasi Sigmon', code: 'Kode di surat tugas Pengawas TPS', what: 'dengan Sigmon Pengawas TPS mencatat sendiri salinan C.Hasil untuk Bawaslu, lepas dari catatan petugas KPU, dan memeriksa sinyal.',
    whose: 'Siapa yang memegang kode ini dapat mengirim atas nama Pengawas TPS ini. Kode berlaku untuk Pengawas satu TPS saja, di HP yang bukan HP petugas KPPS.', lost: 'Panwaslu Kecamatan',
  },
}

function article({ station, village, district, regency, province, code, link }: Letter, url: string, its: LetterWords): string {
  const address = `${new URL(url).host}/sigmon`
  return `<article>
<header><h1>${its.title}</h1><p>RAHASIA</p></header>
<div class="place">
<p class="number">TPS ${station.slice(10)}<small>Kode TPS ${station.slice(0, 10)} ${station.slice(10)}</small></p>
<p class="names"><b>${escaped(village)}</b><br>Kecamatan ${escaped(district)}<br>${escaped(regency)}, ${escaped(province)}</p>
</div>
<p class="code"><span>${its.code}</span><b>${escaped(formatLetterCode(code))}</b></p>
<div class="how">
${qr(link)}
<div>
<p><b>Untuk apa:</b> ${its.what}</p>
<ol>
<li>Buka <b>${escaped(address)}</b> di HP dan pindai kode QR ini, atau ketik kode TPS (13 angka) dan kode di atas.</li>
<li>Lakukan sekali di tempat bersinyal sebelum hari pemungutan suara. Sesudah itu Sigmon jalan juga <b>tanpa sinyal</b>.</li>
<li>Huruf O dibaca angka 0, huruf I dan L dibaca angka 1. Kalau salah ketik, Sigmon memberi tahu.</li>
</ol>
<p><b>Jangan difoto dan jangan dikirim ke grup.</b> ${its.whose}</p>
</div>
</div>
<footer><span>Surat hilang atau dibaca orang lain? Segera beri tahu ${its.lost}.</span><span>kunci ${escaped(/kunci=(\w+)/.exec(link)?.[1]?.replace(/(.{4})(?=.)/g, '$1 ') ?? '')}</span></footer>
</article>`
}
