import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { envelope_type, list_type } from '@kawal/contract/handing-in.ts'
import type { SampleDetail, SampleRows } from '@kawal/contract/sample.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { deviceToken, enrolKey } from '@kawal/server/src/measurement/enrolment.ts'
import { addStaff, loginToken } from '@kawal/server/src/organisation/sessions.ts'
import { planned } from '@kawal/testkit/plan.ts'
import { recapPhone, seedRecaps } from '@kawal/testkit/recap-phone.ts'
import { soundTotals } from '@kawal/testkit/recaps.ts'
import { withServer, type TestServer } from '@kawal/testkit/server.ts'
import { launchBrowser } from './browser.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const [first = '', second = ''] = planned.stations
const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
/** Of the form of `soundTotals`, from votes_1 on. */
const onPaper = [['Suara nomor 1', '128'], ['Suara nomor 2', '71'], ['Suara nomor 3', '33'], ['Suara sah', '232'], ['Suara tidak sah', '6'], ['Suara sah dan tidak sah', '238']] as const
let server: TestServer
let browser: Browser

before(async () => {
  server = await withServer(() => Date.now(), seedRecaps)
  browser = await launchBrowser()
})
after(async () => {
  await browser.close()
  await server.close()
})

/** A photo as a camera would give it, of a form that the browser draws. */
async function photograph(station: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 900, height: 1_200 } })
  await page.setContent(`<body style="font:28px serif;background:#f4f1e8;padding:60px"><h1>C.HASIL PPWP ${station}</h1><table style="width:100%;font-size:34px">${onPaper.map(([name, value]) => `<tr><td>${name}<td align=right>${value}`).join('')}</table>`)
  const bytes = await page.screenshot({ type: 'jpeg', quality: 70 })
  await page.close()
  return bytes
}

/** A record with a photo that is here and one that is not. */
async function recorded(station: string, totals = soundTotals): Promise<void> {
  const phone = await recapPhone(station)
  const device = await enrolKey(server.app.database, station, phone.publicKey, Date.now())
  assert.ok(device !== null)
  const headers = { authorization: `Bearer ${deviceToken(server.app.secret, device.device)}` }
  const photo = await photograph(station)
  const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: photo.length, sha256: hashOf(photo) }, { page: 2, shot: 1, kind: 'preview', size_bytes: 9, sha256: hashOf(Buffer.from('not there')) }])
  const record = await phone.record({ totals: [...totals], photos: hashOf(list) })
  const put = async (method: string, path: string, type: string, body: Buffer | Uint8Array, more = {}): Promise<void> => assert.ok((await fetch(server.app.url + path, { method, headers: { ...headers, ...more, 'content-type': type }, body: new Uint8Array(body) })).ok, path)
  await put('POST', '/v1/recaps', envelope_type, record)
  await put('PUT', `/v1/recaps/${hashOf(record).toString('hex')}/photos`, list_type, list)
  await put('PATCH', `/v1/photos/${hashOf(photo).toString('hex')}-${photo.length}`, 'application/offset+octet-stream', photo, { 'tus-resumable': '1.0.0', 'upload-offset': '0' })
}

const logIn = async (page: Page, organisation: string): Promise<void> => {
  const token = await loginToken(server.app.database, await addStaff(server.app.database, organisation, 'Petugas'), Date.now())
  await page.goto(`${server.app.url}/console/?masuk=${token}`)
  await page.locator('.strip').waitFor()
  await page.goto(`${server.app.url}/console/?tampil=pengawasan&keadaan=sample`)
}

/** Nothing that axe finds, and nothing wider than the window. */
async function assertFine(page: Page, screen: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { axe: tool } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }
    return (await tool.run()).violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], screen)
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${screen} is wider than its window`)
}

async function openPage(viewport = { width: 1366, height: 768 }): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext({ viewport, locale: 'id-ID' })
  const page = await context.newPage()
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
  return { context, page }
}

test('Bawaslu throws dice, reads a photo before the recap\'s numbers, signs with a key of the browser, and goes on to the next', { timeout: 120_000 }, async () => {
  await recorded(first)
  await recorded(second, soundTotals.map((value, at) => (at === 22 ? 129 : value)))
  await server.app.tick(Date.now())
  await server.app.recapsIdle()
  const { context, page } = await openPage()
  const asked: string[] = []
  page.on('request', (request) => void asked.push(request.url()))
  await logIn(page, 'bawaslu')
  await page.getByText('Belum ada undian').waitFor()
  await page.getByRole('button', { name: 'Undi TPS baru' }).click()
  const draw = page.getByRole('button', { name: 'Undi sekarang' })
  await page.getByLabel('Jumlah TPS').fill('8')
  await page.getByText('8 dari 8 TPS. Bila 1 TPS atau lebih salah').waitFor()
  const dice = page.getByLabel('Angka dadu', { exact: true })
  await dice.fill('20237 33112')
  await page.getByText('10 dari 20 angka: lempar terus.').waitFor()
  await dice.fill('1111 1111 1111 1111 1111')
  await page.getByText('Kurang dari lima angka yang berbeda').waitFor()
  await dice.fill('20237 33112 81592 11123')
  await page.getByText('20 angka: cukup acak.').waitFor()
  await page.getByLabel('Tempat, waktu, dan saksi').fill('Gorontalo, di depan dua saksi')
  assert.ok(await draw.isDisabled(), 'not before it is understood that it cannot be undone')
  await page.getByText('Saya mengerti').click()
  await assertFine(page, 'a new draw')
  await draw.click()
  await page.getByText('0 dari 8 sudah dibandingkan').waitFor()
  await assertFine(page, 'the draw')

  const { rows: [row] } = (await server.call<SampleRows>('bawaslu', 'GET', '/v1/audits')).body
  const id = row?.id ?? ''
  asked.length = 0
  await page.goto(`${server.app.url}/console/?tampil=pengawasan&keadaan=sample&butir=${id}/${first}/ppwp`)
  const photo = page.getByRole('region', { name: 'Foto formulir' })
  await page.waitForFunction(() => (document.querySelector('.paper img') as HTMLImageElement | null)?.naturalWidth === 900)
  const width = async (): Promise<number> => (await photo.locator('img').boundingBox())?.width ?? 0
  const before = await width()
  await photo.focus()
  await page.keyboard.press('+')
  await page.keyboard.press('r')
  await page.waitForFunction((was) => (document.querySelector('.paper img')?.getBoundingClientRect().width ?? 0) > was * 1.2, before)
  await page.getByRole('button', { name: 'Halaman 2' }).click()
  await page.getByText('Yang memegangnya HP 1 TPS ini').waitFor()
  await page.getByRole('button', { name: 'Halaman 1' }).click()
  for (const [name, value] of onPaper) await page.getByLabel(name, { exact: true }).fill(value)
  assert.ok(!asked.some((url) => url.includes('totals=true')), 'the numbers of the recap have not even come')
  await assertFine(page, 'reading')
  await page.getByRole('button', { name: 'Bandingkan dengan rekap' }).click()
  await page.getByRole('button', { name: 'Tandatangani: sesuai' }).click()
  await page.getByText('Ditandatangani: sesuai').waitFor()
  assert.ok(await page.evaluate(async () => (await indexedDB.databases()).some(({ name }) => name === 'kawal-auditor')))

  await page.goto(`${server.app.url}/console/?tampil=pengawasan&keadaan=sample&butir=${id}/${second}/ppwp`)
  for (const [name, value] of onPaper) await page.getByLabel(name, { exact: true }).fill(value)
  await page.getByRole('button', { name: 'Bandingkan dengan rekap' }).click()
  await page.locator('tr.differs').getByText('129').waitFor()
  await assertFine(page, 'what differs')
  await page.getByRole('button', { name: 'Tandatangani: berbeda' }).click()
  await page.getByText('Ditandatangani: berbeda').waitFor()
  await page.getByRole('button', { name: 'TPS berikutnya' }).click()
  await page.getByText('Tidak ada rekap kontes ini saat diundi').waitFor()
  await page.getByRole('button', { name: 'Tandatangani: rekap tidak ada' }).click()
  await page.getByText('Ditandatangani: rekap tidak ada').waitFor()
  const detail = (await server.call<SampleDetail>('kpu', 'GET', `/v1/audits/${id}`)).body
  assert.deepEqual([detail.results, detail.rows.flatMap(({ contests }) => contests.flatMap(({ findings }) => findings.map(({ differs }) => differs.join()))).sort()], [{ agrees: 1, differs: 1, no_record: 1 }, ['', '', 'votes_1']])
  assert.equal(new Set(detail.rows.flatMap(({ contests }) => contests.flatMap(({ findings }) => findings.map(({ kid }) => kid)))).size, 1, 'one key signed all')
  await context.close()
})

test('KPU sees draws and what was found, on a phone too, and has nothing to sign with', { timeout: 60_000 }, async () => {
  const { context, page } = await openPage({ width: 360, height: 640 })
  await logIn(page, 'kpu')
  await page.goto(`${page.url()}&bahasa=en&ruang=pemantauan`)
  await page.getByText('3 of 8 compared').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Draw stations anew' }).count(), 0)
  await assertFine(page, 'the list on a phone')
  await page.locator('section.draw button.link').click()
  await page.getByText('differs: Votes for number 1').waitFor()
  await assertFine(page, 'the draw on a phone')
  await page.getByRole('button', { name: 'Look' }).first().click()
  await page.getByText('You only look.').waitFor()
  assert.equal(await page.getByRole('button', { name: /^Sign/ }).count(), 0)
  await context.close()
})
