import assert from 'node:assert/strict'
import { test } from 'node:test'
import { letterCodeOf } from '@kawal/core/measurement/letter.ts'
import { letterLink, lettersPage, type Letter } from '@kawal/server/src/sigmon/letters.ts'
import { launchBrowser } from './browser.ts'

const url = 'https://sinyal-pemilu.kawal.example'
/** Names as long as the register has them. */
const letters: Letter[] = Array.from({ length: 5 }, (_, at) => {
  const [station, code] = [`950603200${at}901`, letterCodeOf(new Uint8Array(10).fill(at === 0 ? 0 : 0xde + at * 7))]
  const names = at === 4 ? { village: 'BUBE', district: 'SUWAWA', regency: 'BONE BOLANGO', province: 'GORONTALO' }
    : { village: 'SIMPANG TIGA PULAU TERLUAR SEBELAH TIMUR LAUT', district: 'PARENGGEAN MENTAYA HULU UTARA', regency: 'KABUPATEN KEPULAUAN SIAU TAGULANDANG BIARO', province: 'KEPULAUAN BANGKA BELITUNG' }
  return { station, ...names, code, link: letterLink(url, station, code, '0123456789abcdef') }
})

test('two letters fit a sheet of A4, with nothing cut off, however long the names', async () => {
  const browser = await launchBrowser()
  try {
    const page = await browser.newPage({ viewport: { width: 794, height: 1123 } })
    await page.setContent(lettersPage('Kode petugas', url, letters))
    const cut = await page.evaluate(() => [...document.querySelectorAll('article, article *')].filter((each) => !each.closest('svg')).flatMap((each) => {
      const [box, sheet] = [each.getBoundingClientRect(), (each.closest('article') as Element).getBoundingClientRect()]
      const inside = box.left >= sheet.left - 1 && box.right <= sheet.right + 1 && box.bottom <= sheet.bottom + 1 && each.scrollWidth <= each.clientWidth + 1 || each.clientWidth === 0
      return inside && (each.tagName !== 'ARTICLE' || each.scrollHeight <= each.clientHeight + 1) ? [] : [`${each.tagName} ${each.className}: ${(each.textContent ?? '').slice(0, 40)}`]
    }))
    assert.deepEqual(cut, [])
    const overlapping = await page.evaluate(() => [...document.querySelectorAll('article')].filter((each) => {
      const [how, foot] = [each.querySelector('.how > div') as Element, each.querySelector('footer') as Element]
      return how.getBoundingClientRect().bottom > foot.getBoundingClientRect().top + 1
    }).length)
    assert.equal(overlapping, 0)
    const pdf = await page.pdf({ preferCSSPageSize: true })
    assert.equal(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length, 3)
    const pictures = process.env['KAWAL_PICTURES']
    if (pictures !== undefined) await page.screenshot({ path: `${pictures}/letters.png`, clip: { x: 0, y: 0, width: 794, height: 1123 } })
  } finally {
    await browser.close()
  }
})
