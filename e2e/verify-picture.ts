import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { writePhotos, type Photo } from '@kawal/core/recap/photo.ts'
import { verifyPage } from '@kawal/server/src/ledger/page.ts'
import { proofOf, signing } from '@kawal/testkit/proofs.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { presidential, sha256, soundTotals } from '@kawal/testkit/recaps.ts'

/** The page that verifies, with a record, a receipt that two of three witnesses signed, and two of its three photos. */
export async function verifyPicture(browser: Browser, shoot: (page: Page, name: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-page-'))
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 1240 }, locale: 'id-ID' })).newPage()
  try {
    const log = signing('kawal.example/ledger')
    const witnesses = ['bawaslu.example', 'kampus.example', 'pemantau.example'].map((name) => signing(name, 'cosignature'))
    const names = witnesses.map(({ key }) => key.name.replace(/\..*/, ''))
    const policy = [`log ${formatVerifierKey(log.key)}`, ...witnesses.map(({ key }, at) => `witness ${names[at]} ${formatVerifierKey(key)}`), `group saksi 2 ${names.join(' ')}`, 'quorum saksi', ''].join('\n')
    const file = join(folder, 'periksa.html')
    writeFileSync(file, verifyPage(policy)?.html ?? '')
    const shots = await Promise.all([1, 2, 3].map((nth) => drawn(page, nth)))
    const list = writePhotos(shots.map((bytes, at): Photo => ({ page: at + 1, shot: 1, kind: 'original', size_bytes: bytes.length, sha256: sha256(bytes) })))
    const phone = await recapPhone(presidential.station)
    const record = await phone.record({ photos: sha256(list) })
    const entries = [writeEntry({ kind: 'enrolment', device: new Uint8Array(16), station: presidential.station, publicKey: phone.publicKey, at: 1 }), writeEntry({ kind: 'recap', envelope: record })]
    const given = { 'rekap.cose': record, 'daftar-foto.cbor': list, 'halaman-1.jpg': shots[0], 'halaman-2.jpg': shots[1], 'tanda-terima.tlog-proof': await proofOf(entries, 1, log, { witnesses: witnesses.slice(0, 2) }), 'pendaftaran.tlog-proof': await proofOf(entries, 0, log, { witnesses, hasExtra: true }) }
    await page.goto(pathToFileURL(file).href)
    await page.locator('[data-give]').setInputFiles(Object.entries(given).map(([name, content]) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content as string) })))
    await page.locator('#results[data-ready=true]').waitFor()
    await shoot(page, 'verify-id')
  } finally {
    await page.context().close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A page of a form as a camera has it, with the numbers of the record. */
const drawn = async (page: Page, nth: number): Promise<Buffer> => Buffer.from(await page.evaluate(([number, totals]) => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 1200 })
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = '#efe9da'
  context.fillRect(0, 0, 900, 1200)
  context.fillStyle = '#222'
  context.font = '44px sans-serif'
  context.fillText('C.HASIL-PPWP', 60, 90)
  context.fillText(`Halaman ${number}`, 620, 90)
  totals.forEach((value, at) => {
    context.strokeRect(60, 140 + at * 100, 780, 80)
    context.fillText(String(value), 700, 195 + at * 100)
  })
  return canvas.toDataURL('image/jpeg', 0.85).split(',')[1] ?? ''
}, [nth, soundTotals.slice((nth - 1) * 10, nth * 10)] as const), 'base64')
