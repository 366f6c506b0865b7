import assert from 'node:assert/strict'
import { test } from 'node:test'
import jsQR from 'jsqr'
import { letterCodeOf, readLetterCode } from '@kawal/core/measurement/letter.ts'
import { letterLink, lettersPage, type Letter } from './letters.ts'

const url = 'https://kawal.example'
const kid = '0123456789abcdef'
const letterOf = (at: number): Letter => {
  const [station, code] = [`7501012001${String(at).padStart(3, '0')}`, letterCodeOf(Uint8Array.from({ length: 10 }, (_, byte) => (byte * 41 + at * 59) % 256))]
  return { station, village: 'MUSTIKA <b>', district: 'PAGUYAMAN', regency: 'BOALEMO', province: 'GORONTALO', code, link: letterLink(url, station, code, kid) }
}

/** What a camera reads of the letter's QR. */
function scanned(svg: string): string {
  const size = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1])
  const scale = 4
  const picture = new Uint8ClampedArray((size * scale) ** 2 * 4).fill(255)
  for (const [, x, y, width] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1/g))
    for (let row = 0; row < scale; row++)
      for (let column = 0; column < Number(width) * scale; column++) picture.fill(0, ((Number(y) * scale + row) * size * scale + Number(x) * scale + column) * 4, ((Number(y) * scale + row) * size * scale + Number(x) * scale + column) * 4 + 3)
  return (jsQR as unknown as (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null)(picture, size * scale, size * scale)?.data ?? ''
}

test('each letter shows its station and code, and its QR opens Sigmon with both and the key to trust', () => {
  // enough of them that every check symbol occurs, those too that an address must escape
  const letters = Array.from({ length: 60 }, (_, at) => letterOf(at + 1))
  assert.ok(['*', '~', '$', '=', 'U'].filter((symbol) => letters.some(({ code }) => code.endsWith(symbol))).length >= 3)
  const articles = lettersPage('Kode', url, letters).split('<article>').slice(1)
  assert.equal(articles.length, 60)
  letters.forEach(({ station, code, link }, at) => {
    const shown = articles[at] ?? ''
    const printed = /<b>((?:[0-9A-Z]{4}-){4}.{1,5})<\/b>/.exec(shown)?.[1] ?? ''
    assert.deepEqual(readLetterCode(printed), { ok: true, value: code })
    assert.ok(shown.includes(`TPS ${station.slice(10)}`))
    assert.equal(scanned(shown), link)
    const fragment = new URLSearchParams(new URL(link).hash.slice(1))
    assert.deepEqual([fragment.get('tps'), fragment.get('kode'), fragment.get('kunci')], [station, code, kid])
  })
})

test('names are text, and nothing is loaded or run', () => {
  const page = lettersPage('a & b', url, [letterOf(1)])
  assert.match(page, /MUSTIKA &lt;b&gt;/)
  assert.match(page, /<title>a &amp; b<\/title>/)
  assert.doesNotMatch(page, /<script|<link|<img|@import|url\(/)
})
