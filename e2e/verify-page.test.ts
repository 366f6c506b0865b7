import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { encode } from 'uqr'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { stationCode } from '@kawal/server/src/measurement/enrolment.ts'
import { letterLink } from '@kawal/server/src/sigmon/letters.ts'
import { settingsDefaults } from '@kawal/server/src/sigmon/settings.ts'
import { readSigner } from '@kawal/server/src/sigmon/signing.ts'
import { buildGoAuditor, goAudits, goMissing } from '@kawal/testkit/go-auditor.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { signing } from '@kawal/testkit/proofs.ts'
import { mustForm, pairs, soundTotals } from '@kawal/testkit/recaps.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { launchBrowser } from './browser.ts'
import { seed } from './engine.ts'
import { kawal } from './planning.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env['VERIFY_PICTURES']
const station = planned.stations[0] ?? ''
const form = { contest: 'ppwp', version: '1', title: 'Presiden dan Wakil Presiden', ballot: 3, votersMax: 300, pages: 1 }

interface Given { readonly name: string; readonly mimeType: string; readonly buffer: Buffer }

let server: TestServer
let browser: Browser
let folder: string
/** The page as it is kept: of the platform's key, opened without a network. */
let file: string
let offline: BrowserContext
/** What the phone gave out: its evidence as a text, and the photos. */
let evidence: Given
let photos: readonly Given[]

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kawal-verify-'))
  server = await withServer(Date.now, seed, { sigmon: { ...settingsDefaults, spreadS: 1, forms: [form] } })
  browser = await launchBrowser()
  const key = (await (await fetch(`${server.app.url}/ledger/key`)).text()).trim()
  kawal(folder, 'export', 'verify-page', '--key', key, '--out', join(folder, 'periksa.html'))
  file = pathToFileURL(join(folder, 'periksa.html')).href
  ;[evidence, ...photos] = await signedOnPhone() as [Given, ...Given[]]
  offline = await browser.newContext({ locale: 'id-ID', timezoneId: 'Asia/Jakarta' })
  await offline.setOffline(true)
})
after(async () => {
  await browser.close()
  await server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** An officer enrols, fills in a form with a photo, signs, sends, and saves what others need to verify it. */
async function signedOnPhone(): Promise<Given[]> {
  const { app } = server
  const page = await (await browser.newContext({ viewport: { width: 360, height: 640 }, locale: 'id-ID' })).newPage()
  await page.goto(letterLink(app.url, station, stationCode(app.secret, station), (await readSigner(app.database)).kid))
  await page.getByRole('button', { name: 'Daftar', exact: true }).click()
  await page.getByRole('button', { name: 'Periksa jaringan' }).waitFor()
  await page.evaluate(() => (location.hash = '#/rekap'))
  await page.getByRole('link', { name: 'Isi Presiden' }).click()
  for (const [at, field] of mustForm('ppwp', pairs).fields.entries()) await page.locator(`[id='${field}']`).fill(String(soundTotals[at]))
  await page.getByLabel('Dari galeri').first().setInputFiles(await drawn(page))
  await page.getByText('Foto terbaca').waitFor()
  await page.getByText('sudah saya cocokkan').click()
  await page.getByRole('button', { name: 'Tandatangani dan kunci' }).click()
  await page.getByText('Kode tanda terima').waitFor()
  await page.getByText('tanda terimanya sudah diperiksa di HP ini').waitFor()
  await page.getByText('Periksa di luar aplikasi ini').click()
  const saved: Given[] = []
  for (const name of ['Simpan berkas bukti', 'Simpan foto 1', 'Simpan foto 2']) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
    saved.push({ name: download.suggestedFilename(), mimeType: 'application/octet-stream', buffer: readFileSync(await download.path()) })
  }
  await page.context().close()
  return saved
}

const drawn = async (page: Page): Promise<Given> => ({ name: 'c-hasil.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(await page.evaluate(() => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 900, height: 1200 })
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  context.fillStyle = '#eee'
  context.fillRect(0, 0, 900, 1200)
  context.fillStyle = '#111'
  context.font = '40px sans-serif'
  for (let row = 0; row < 28; row++) context.fillText(`baris ${row + 1}   ${(row * 37) % 300}`, 60, 70 + row * 40)
  return canvas.toDataURL('image/jpeg', 0.9).split(',')[1] ?? ''
}), 'base64') })

async function opened(address: string, context = offline): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => assert.fail(error.message))
  await page.goto(address)
  await page.locator('h1').first().waitFor()
  return page
}

async function give(page: Page, files: readonly Given[]): Promise<void> {
  await page.locator('[data-give]').setInputFiles([...files])
  await page.locator('#results[data-ready=true]').waitFor()
}

/** `step: finding` of each step on the page that does not hold. */
const rest = (page: Page): Promise<string[]> => page.locator('[data-step]:not([data-state=holds])').evaluateAll((all) => all.map((each) => `${each.getAttribute('data-step')}: ${each.getAttribute('data-finding')}`))
const verdict = (page: Page): Promise<string | null> => page.locator('article').first().getAttribute('data-verdict')

async function violations(page: Page): Promise<string[]> {
  // The page lets nothing run but its own script; the debugger may.
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe: tool } = window as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    return (await tool.run({ rules: { 'color-contrast-enhanced': { enabled: true } } })).violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
  })
}

const wide = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
const left = ['key: keyAlong', 'witnesses: witnessesNone', 'delivery: deliveryAbsent']

test('what Sigmon gives out is verified by the page from a file, without a network, in both languages, and for a printer', { timeout: 120_000 }, async () => {
  const page = await opened(file)
  await page.setViewportSize({ width: 1280, height: 900 })
  await give(page, [evidence, ...photos])
  assert.deepEqual([await rest(page), await verdict(page)], [left, 'partly'])
  assert.equal(await page.locator('[data-photo=same] img').count(), 2)
  assert.ok(await page.locator('[data-photo=same] img').first().evaluate((image: HTMLImageElement) => image.naturalWidth > 0), 'a photo is seen')
  for (const [language, width] of [['id', 1280], ['en', 360]] as const) {
    if (language === 'en') await page.getByRole('button', { name: 'English' }).click()
    await page.setViewportSize({ width, height: 800 })
    assert.deepEqual([await violations(page), await wide(page)], [[], 0], language)
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `verify-${language}-${width}.png`), fullPage: true })
  }
  await page.emulateMedia({ media: 'print' })
  assert.ok(await page.locator('.sheet svg').isVisible() && !(await page.locator('main').isVisible()))
  const sheet = await page.locator('.sheet').innerText()
  for (const told of [station, 'by the clock of this machine (Asia/Jakarta)', 'Clerk of the court', 'sha256-']) assert.ok(sheet.includes(told), told)
  assert.equal(sheet.match(/\b[0-9a-f]{64}\b/g)?.length, 7, 'five files, the record and the program that made it')
  const pages = (await page.pdf({ preferCSSPageSize: true })).toString('latin1').match(/\/Type\s*\/Page\b/g)?.length ?? 0
  assert.ok(pages >= 2 && pages <= 4, `${pages} sheets`)
  await page.close()
})

test('each kind of change is refused at its own step', { timeout: 120_000 }, async () => {
  const link = evidence.buffer.toString().trim()
  const values = new URLSearchParams(new URL(link).hash.slice(1))
  const change = (name: string, alter: (bytes: Buffer) => Buffer): Given => ({ ...evidence, buffer: Buffer.from(link.replace(values.get(name) ?? '', alter(Buffer.from(values.get(name) ?? '', 'base64url')).toString('base64url'))) })
  const flip = (at: number) => (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, place) => (place === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte)))
  const [preview, original] = photos as [Given, Given]
  const cases: readonly (readonly [readonly Given[], string])[] = [
    [[change('rekap', flip(-1)), ...photos], 'signature: signedNot'], [[change('rekap', flip(-80)), ...photos], 'inclusion: includedNot'], [[change('rekap', flip(0)), ...photos], 'record: recordUnread'],
    [[change('kunci', flip(20)), ...photos], 'signature: keyOther'], [[change('daftar', flip(-1)), ...photos], 'list: listOther'], [[evidence, preview, { ...original, buffer: flip(5_000)(original.buffer) }], 'photos: photosForeign'],
    [[change('bukti', (bytes) => Buffer.from(bytes.toString().replace(/\nindex (\d+)/, (_, index: string) => `\nindex ${Number(index) === 0 ? 1 : 0}`))), ...photos], 'inclusion: includedNot'],
    [[change('bukti', (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 30 ? (byte === 65 ? 66 : 65) : byte)))), ...photos], 'log: logSignedNot'],
  ]
  const page = await opened(file)
  for (const [files, step] of cases) {
    await give(page, files)
    const found = await rest(page)
    assert.ok(found.includes(step), `${step} among ${found.join()}`)
    assert.equal(await verdict(page), 'wrong', step)
    await page.getByRole('button', { name: 'Kosongkan' }).click()
    await page.locator('article').waitFor({ state: 'detached' })
  }
  await page.close()
})

test('whom the page trusts is on top: another key of the same log, another log, or none, is named, and never holds', { timeout: 60_000 }, async () => {
  const page = await opened(file)
  await give(page, [evidence])
  assert.equal(await page.locator('[data-trust]').getAttribute('data-trust'), 'page')
  const trust = async (text: string): Promise<string[]> => {
    await page.getByRole('button', { name: 'Ubah yang dipercaya' }).click()
    await page.getByLabel('Kebijakan, atau kunci buku besar').fill(text)
    await page.getByRole('button', { name: 'Pakai', exact: true }).click()
    await page.locator('#results[data-ready=true]').waitFor()
    return (await rest(page)).filter((each) => /^(log|inclusion)/.test(each))
  }
  assert.deepEqual(await trust(formatVerifierKey(signing('kawal.example/ledger').key)), ['log: logSignedNot', 'inclusion: includedUnsigned'])
  assert.equal(await page.locator('[data-trust]').getAttribute('data-trust'), 'typed')
  assert.deepEqual(await trust(formatVerifierKey(signing('lain.example/ledger').key)), ['log: logOther', 'inclusion: includedUnsigned'])
  await page.locator('main').getByText('Yang dipercaya: lain.example/ledger').waitFor()
  assert.deepEqual(await trust(''), ['log: logUnknown', 'inclusion: includedUnsigned'])
  await page.getByRole('button', { name: 'Ubah yang dipercaya' }).click()
  await page.getByLabel('Kebijakan, atau kunci buku besar').fill('log apa saja')
  await page.getByRole('button', { name: 'Pakai', exact: true }).click()
  await page.getByRole('alert').getByText('Kebijakan ini tidak dapat dibaca').waitFor()
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Kembali ke yang tertanam' }).click()
  await page.locator('[data-trust=page]').waitFor()
  await page.close()
})

test('a QR in a picture, a pasted text and a link that is opened give the same', { timeout: 60_000 }, async () => {
  const link = evidence.buffer.toString().trim()
  const short = link.slice(0, link.indexOf('&bukti'))
  const page = await opened(file)
  await page.getByRole('button', { name: 'Pindai QR' }).click()
  await page.getByLabel('Dari gambar').setInputFiles({ name: 'qr.png', mimeType: 'image/png', buffer: await qrPicture(short) })
  await page.locator('article').waitFor()
  const from_qr = await rest(page)
  assert.ok(from_qr.includes('receipt: proofAbsent') && !from_qr.some((each) => each.startsWith('signature')))
  await page.getByRole('button', { name: 'Tempel teks' }).click()
  await page.locator('#pasted').fill('ini bukan apa-apa')
  await page.getByRole('button', { name: 'Tambahkan' }).click()
  await page.getByRole('alert').getByText('Tidak ada yang dapat diperiksa').waitFor()
  await page.locator('#pasted').fill(`Tolong periksa: ${link}`)
  await page.getByRole('button', { name: 'Tambahkan' }).click()
  await page.locator('[data-step=inclusion][data-state=holds]').waitFor()
  const by_link = await opened(`${file}${new URL(link).hash}`)
  await by_link.locator('[data-step=inclusion][data-state=holds]').waitFor()
  assert.deepEqual(await rest(page), await rest(by_link))
  await Promise.all([page.close(), by_link.close()])
})

async function qrPicture(text: string): Promise<Buffer> {
  const { data, size } = encode(text, { ecc: 'L', border: 4 })
  const page = await browser.newPage()
  try {
    await page.setContent(`<svg width="${size * 4}" height="${size * 4}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('')}"/></svg>`)
    return await page.locator('svg').screenshot()
  } finally {
    await page.close()
  }
}

const missing = goMissing()
test('what Sigmon gives out is verified by the auditor in Go too, which shares no line with us', missing === null ? { timeout: 60_000 } : { skip: missing }, async () => {
  const given = new URLSearchParams(new URL(evidence.buffer.toString().trim()).hash.slice(1))
  const [record, receipt] = (['rekap', 'bukti'] as const).map((name) => Buffer.from(given.get(name) ?? '', 'base64url')) as [Buffer, Buffer]
  const key = (await (await fetch(`${server.app.url}/ledger/key`)).text()).trim()
  const changed = Buffer.from(record)
  changed.writeUInt8((changed.at(-1) ?? 0) ^ 1, changed.length - 1)
  for (const [name, bytes] of [['tanda-terima', receipt], ['rekap', record], ['lain', changed]] as const) writeFileSync(join(folder, name), bytes)
  const [same, other] = await goAudits(buildGoAuditor(folder), ['rekap', 'lain'].map((name) => ['receipt', '-key', key, join(folder, 'tanda-terima'), join(folder, name)]))
  assert.equal(same, null)
  assert.notEqual(other, null, 'a changed record')
})

test('the server hands out the same page with its own key, under a policy that lets nothing out of it', { timeout: 60_000 }, async () => {
  const answer = await fetch(`${server.app.url}/verify/`)
  assert.equal(Buffer.from(await answer.arrayBuffer()).equals(readFileSync(new URL(file))), true)
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; connect-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; .*frame-ancestors 'none'$/)
  assert.match((await fetch(`${server.app.url}/verify/periksa.html`)).headers.get('content-disposition') ?? '', /attachment/)
  const context = await browser.newContext()
  for (const address of [`${server.app.url}/verify/`, file]) {
    const page = await opened(`${address}${new URL(evidence.buffer.toString().trim()).hash}`, context)
    await page.locator('[data-step=log][data-state=holds]').waitFor()
    const out = await page.evaluate(async (to) => {
      const refused: string[] = []
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.push(effectiveDirective))
      await fetch(`${to}/ledger/key`).catch(() => undefined)
      document.body.append(Object.assign(new Image(), { src: `${to}/ledger/key` }), Object.assign(document.createElement('script'), { textContent: 'window.ran = true' }))
      await new Promise((resolve) => setTimeout(resolve, 50))
      return { refused, hasRun: 'ran' in window }
    }, server.app.url)
    // The header and the page itself refuse it, each for itself.
    assert.deepEqual([[...new Set(out.refused)].sort(), out.hasRun], [['connect-src', 'img-src', 'script-src-elem'], false], address)
    await page.close()
  }
  await context.close()
})
