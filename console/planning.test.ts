import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser, type Page } from 'playwright-core'
import type { Role } from '@kawal/core/organisation/rules.ts'
import { openSite, type Site } from './test/site.ts'

const desktop = { width: 1440, height: 900 }
const phone = { width: 360, height: 740 }
/** With CONSOLE_PICTURES=PREFIX the screens are kept as PREFIX-NAME.png. */
const pictures = process.env['CONSOLE_PICTURES']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])
/** There is no graphics card here: a page is painted without the emulation of one, which took a quarter of the time. WebGL has it still. */
const in_software = '--disable-gpu-compositing'
const worst = '5310022003001'

let site: Site
let browser: Browser

before(async () => {
  site = await openSite()
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: [...chromium.args.filter((flag) => !refused.has(flag)), in_software], headless: true })
})
after(async () => {
  await browser.close()
  await site.close()
})

async function open(query: string, role: Role = 'planner', viewport = desktop): Promise<Page> {
  site.planner = role
  site.planning.bare = false
  site.planning.stored.length = 0
  const page = await (await browser.newContext({ viewport, locale: 'id-ID' })).newPage()
  page.setDefaultTimeout(15_000)
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
  await page.goto(`${site.address}?masuk=benar&${query}`)
  return page
}
const stored = (): readonly { readonly path: string; readonly body: unknown }[] => site.planning.stored
const parameters = (page: Page): URLSearchParams => new URL(page.url()).searchParams
const settled = (page: Page): Promise<void> => page.waitForLoadState('networkidle')
const firstRow = (page: Page): Promise<string> => page.locator('table.stations tbody tr').first().innerText()
/** Until the first row is, or is no more, this one. */
const firstRowIs = async (page: Page, text: string, same: boolean): Promise<void> => {
  for (let tries = 0; ((await firstRow(page)) === text) !== same; tries++) {
    assert.ok(tries < 200, 'the list did not change')
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
  }
}
const overflow = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

async function assertAxe(page: Page, screen: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe
    return (await run.run()).violations.map((one) => `${one.id}: ${one.nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], screen)
}

/** Every screen by its address, and what it shows when it is ready. */
const screens: readonly { name: string; query: string; ready: string }[] = [
  { name: 'readiness', query: 'layar=kesiapan', ready: 'table.stations tbody tr' },
  { name: 'readiness-area', query: 'layar=kesiapan&wilayah=5310&kelas=d,e,tanpa-data', ready: 'table.stations tbody tr' },
  { name: 'atlas', query: 'layar=peta-jangkauan&operator=telkomsel&teknologi=lte&sel=888c1a4c33fffff', ready: '.layer' },
  { name: 'atlas-table', query: 'layar=peta-jangkauan&bagian=tabel&operator=telkomsel&teknologi=lte', ready: '.celltable tbody tr th' },
  { name: 'atlas-facts', query: 'layar=peta-jangkauan&bagian=edisi', ready: '.break' },
  { name: 'atlas-difference', query: 'layar=peta-jangkauan&bagian=selisih&operator=telkomsel&teknologi=lte', ready: '[data-row]' },
  { name: 'atlas-challenges', query: 'layar=peta-jangkauan&bagian=keberatan', ready: '.challenge' },
  { name: 'station', query: `layar=tps&tps=${worst}`, ready: '.ladder li' },
  { name: 'siting', query: 'layar=lokasi&wilayah=5310', ready: '[data-row]' },
  { name: 'campaign', query: 'layar=kampanye&wilayah=53', ready: '[data-row]' },
  { name: 'print', query: 'cetak=5310', ready: '.sheet footer' },
]

for (const { name, query, ready } of screens)
  test(`${name}: in both languages and widths nothing overflows and axe finds nothing`, async () => {
    const page = await open(`ruang=perencanaan&${query}`)
    await page.locator(ready).first().waitFor()
    await settled(page)
    for (const [width, viewport] of [['desktop', desktop], ['phone', phone]] as const) for (const language of ['id', 'en']) {
      await page.setViewportSize(viewport)
      if (await page.locator('html').getAttribute('lang') !== language) await page.getByRole('button', { name: language === 'en' ? 'English' : 'Bahasa Indonesia' }).click()
      await page.locator(`html[lang=${language}]`).waitFor({ state: 'attached' })
      await page.locator(ready).first().waitFor()
      if (pictures !== undefined) {
        await page.waitForTimeout(2500)
        await page.screenshot({ path: `${pictures}-${name}-${width}-${language}.png`, fullPage: width === 'phone' })
      }
      assert.equal(await overflow(page), 0, `${width} ${language}: ${await page.evaluate(() => [...document.querySelectorAll('#app *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && one.closest('.scroll, .visually-hidden, .map') === null).map((one) => one.outerHTML.slice(0, 90)).slice(0, 6).join('; '))}`)
      // the other two of the four take as long again, and are for who changes a screen
      if (pictures !== undefined || (width === 'desktop') === (language === 'id')) await assertAxe(page, `${name} ${width} ${language}`)
    }
    await page.evaluate(() => document.documentElement.style.setProperty('font-size', '32px'))
    assert.equal(await overflow(page), 0, `200 %: ${await page.evaluate(() => [...document.querySelectorAll('#app *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && one.closest('.scroll, .visually-hidden, .map') === null).map((one) => one.outerHTML.slice(0, 110)).slice(0, 6).join('; '))}`)
    await page.context().close()
  })

test('a planner lands on planning, others on monitoring; the switch keeps to the address', async () => {
  const page = await open('')
  await page.locator('table.stations tbody tr').first().waitFor()
  await page.getByRole('button', { name: 'Pemantauan' }).click()
  await page.locator('#queue').waitFor()
  assert.equal(parameters(page).get('ruang'), 'pemantauan')
  await page.getByRole('button', { name: 'Perencanaan' }).click()
  await page.locator('[data-screen=readiness]').waitFor()
  await page.goBack()
  await page.locator('#queue').waitFor()
  await page.context().close()
  const duty = await open('', 'duty_officer')
  await duty.locator('#queue').waitFor()
  await duty.getByRole('button', { name: 'Perencanaan' }).click()
  await duty.locator('[data-screen=readiness]').waitFor()
  await duty.context().close()
})

test('filters are the address: chosen they go there, and an address brings them back', async () => {
  const page = await open('')
  const rows = page.locator('table.stations tbody tr')
  await rows.first().waitFor()
  await page.locator('.classtoggle', { hasText: /^\s*E$/ }).click()
  await page.locator('.classtoggle', { hasText: 'tanpa data' }).click()
  assert.equal(parameters(page).get('kelas'), 'e,tanpa-data')
  await page.getByLabel('SIM terbaik').selectOption('telkomsel')
  await page.getByLabel('Sinyal operator itu').selectOption('tidak_ada')
  await page.getByLabel('Wilayah', { exact: true }).fill('manggarai')
  await page.getByLabel('Wilayah', { exact: true }).press('Enter')
  await page.getByLabel('Cari').fill('cumbi')
  await page.waitForURL((url) => url.searchParams.get('cari') === 'cumbi')
  assert.deepEqual(['wilayah', 'operator', 'sinyal'].map((name) => parameters(page).get(name)), ['5310', 'telkomsel', 'tidak_ada'])
  await page.getByText(/^\d+ dari \d+ ditampilkan$/).waitFor()
  await page.waitForFunction(() => [...document.querySelectorAll('table.stations tbody tr')].every((row) => row.textContent?.includes('Cumbi')))
  const texts = await rows.allInnerTexts()
  assert.ok(texts.length > 0 && texts.every((text) => text.includes('Cumbi')), texts.join())
  const csv = await page.locator('a.button[download]').getAttribute('href')
  assert.ok(csv?.includes('class=e%2Cunknown') && csv.includes('format=csv') && csv.includes('area=5310'), csv ?? 'no CSV')
  const address = page.url()
  await page.goto('about:blank')
  await page.goto(address)
  await rows.first().waitFor()
  assert.deepEqual(await rows.allInnerTexts(), texts)
  assert.equal(await page.getByLabel('Cari').inputValue(), 'cumbi')
  await page.getByLabel('Wilayah', { exact: true }).fill('atlantis')
  await page.getByLabel('Wilayah', { exact: true }).press('Enter')
  await page.getByText('Wilayah ini tidak dikenal').waitFor()
  assert.equal(parameters(page).get('wilayah'), '5310')
  await page.context().close()
})

test('pages turn forth, and back by the history', async () => {
  const page = await open('ruang=perencanaan&layar=kesiapan')
  await page.getByText('25 dari 60 ditampilkan').waitFor()
  const first = await firstRow(page)
  await page.getByRole('button', { name: 'Berikutnya' }).click()
  await page.waitForURL((url) => url.searchParams.has('halaman'))
  await firstRowIs(page, first, false)
  await page.getByRole('button', { name: 'Sebelumnya' }).click()
  await page.waitForURL((url) => !url.searchParams.has('halaman'))
  await firstRowIs(page, first, true)
  await page.context().close()
})

test('by keyboard alone: screens, rows, a station and back, help', async () => {
  const page = await open('')
  await page.locator('table.stations tbody tr').first().waitFor()
  await page.keyboard.press('3')
  await page.locator('[data-screen=siting] [data-row]').first().waitFor()
  await page.keyboard.press('1')
  await page.locator('table.stations tbody tr').first().waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.keyboard.press('k')
  assert.match(await page.evaluate(() => document.activeElement?.textContent ?? ''), /^TPS 001/)
  await page.keyboard.press('Enter')
  await page.locator('.ladder li').first().waitFor()
  assert.equal(parameters(page).get('tps')?.length, 13)
  await page.keyboard.press('Escape')
  await page.locator('table.stations tbody tr').first().waitFor()
  await page.keyboard.press('/')
  assert.equal(await page.evaluate(() => document.activeElement?.hasAttribute('data-search')), true)
  await page.keyboard.press('Tab')
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await assertAxe(page, 'help')
  await page.context().close()
})

test('a station: six steps in order, what is not there says why, and its position is corrected with a date', async () => {
  const page = await open(`ruang=perencanaan&layar=tps&tps=${worst}`)
  const steps = page.locator('.ladder li')
  await steps.first().waitFor()
  assert.equal(await steps.count(), 6)
  assert.equal(await page.locator('.ladder li.off').count(), 3)
  assert.match(await steps.nth(3).innerText(), /tidak tersedia/)
  assert.match(await steps.nth(1).innerText(), /0,7 km[\s\S]*timur laut \(42°\)/)
  await page.getByText('Tidak ada TPS lain').or(page.locator('.neighbours button').first()).waitFor()
  await page.getByRole('button', { name: 'Perbaiki posisi' }).click()
  const store = page.getByRole('button', { name: 'Simpan posisi' })
  assert.equal(await store.isDisabled(), true)
  await page.locator('.minimap [data-mode]').waitFor({ state: 'attached' })
  await page.locator('.minimap').click({ position: { x: 400, y: 120 } })
  const latitude = Number(await page.getByLabel('Lintang').inputValue())
  assert.ok(latitude > -9.5 && latitude < -7.5, String(latitude))
  await page.getByLabel('Lintang').fill('-8,61')
  await page.getByLabel('Bujur').fill('120.47')
  await store.click()
  await page.getByText('jauh dari desanya').waitFor()
  const [sent] = stored()
  assert.equal(sent?.path, `/v1/stations/${worst}/position`)
  assert.deepEqual({ ...(sent?.body as object), validFrom: '' }, { latitude: -8.61, longitude: 120.47, validFrom: '' })
  await page.context().close()
})

test('a decision waits ten seconds: undone it is never sent, else once, with its date', async () => {
  const page = await open('ruang=perencanaan&layar=lokasi&wilayah=5310&keputusan=belum')
  await page.locator('[data-row]').first().waitFor()
  await page.getByRole('checkbox', { name: 'Pilih semua di halaman ini' }).check()
  const count = await page.locator('[data-row]').count()
  await page.getByLabel('berlaku mulai').fill('2026-12-01')
  await page.getByRole('button', { name: 'Terima pilihan' }).click()
  await page.locator('.waiting').waitFor()
  await assertAxe(page, 'waiting')
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-waiting-desktop-id.png` })
  await page.getByRole('button', { name: 'Batalkan' }).click()
  await page.locator('.waiting').waitFor({ state: 'detached' })
  await page.locator('[data-row] input').first().check()
  await page.getByRole('button', { name: 'Tolak pilihan' }).click()
  await page.locator('.waiting').waitFor()
  await page.locator('h2').first().click()
  await page.keyboard.press('z')
  await page.locator('.waiting').waitFor({ state: 'detached' })
  assert.deepEqual(stored(), [])
  await page.getByRole('checkbox', { name: 'Pilih semua di halaman ini' }).check()
  await page.getByRole('button', { name: 'Terima pilihan' }).click()
  await page.getByRole('button', { name: 'Simpan sekarang' }).click()
  await page.getByText(`${count} keputusan tersimpan`).waitFor()
  assert.equal(stored().length, 1)
  const list = stored()[0]?.body as { decision: string; validFrom: string }[]
  assert.equal(list.length, count)
  assert.ok(list.every((each) => each.decision === 'accepted' && each.validFrom === '2026-12-01'))
  await page.context().close()
})

test('what-if shows what would change, and stores nothing', async () => {
  const page = await open('ruang=perencanaan&layar=lokasi&wilayah=5310')
  await page.locator('[data-row]').first().waitFor()
  await page.getByText('Bagaimana jika?').click()
  await page.getByLabel('Jalan paling jauh (km)').fill('99')
  assert.equal(await page.getByRole('button', { name: 'Hitung' }).isDisabled(), true)
  await page.getByLabel('Jalan paling jauh (km)').fill('1,2')
  await page.getByRole('button', { name: 'Hitung' }).click()
  await page.getByText('Belum ada yang disimpan.').waitFor()
  const whatIf = page.locator('.whatif')
  assert.match(await whatIf.innerText(), /Usul yang hilang[\s\S]*Gedung lain/)
  assert.match(await whatIf.innerText(), /terlalu jauh \d+/)
  await assertAxe(page, 'what-if')
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-whatif-desktop-id.png` })
  assert.deepEqual(stored(), [])
  assert.ok(site.asked.includes('POST /v1/siting/what-if'))
  await page.context().close()
})

test('the atlas: a cell out of the table or the map, its evidence, and a challenge with evidence', async () => {
  const page = await open('ruang=perencanaan&layar=peta-jangkauan&bagian=tabel&operator=telkomsel&teknologi=lte')
  await page.locator('.celltable tbody tr th').first().waitFor()
  await page.getByText('Mode peta: WebGL').waitFor()
  await page.waitForURL((url) => url.searchParams.has('kotak'))
  const box = (): number[] => (parameters(page).get('kotak') ?? '').split(',').map(Number)
  await page.getByLabel('Wilayah', { exact: true }).fill('5310')
  await page.getByLabel('Wilayah', { exact: true }).press('Enter')
  await page.waitForURL((url) => Number(url.searchParams.get('kotak')?.split(',')[0]) > 115)
  const [west = 0, south = 0, east = 0, north = 0] = box()
  await page.reload()
  await page.locator('.celltable tbody tr th').first().waitFor()
  await page.waitForURL((url) => url.searchParams.get('kotak') !== [west, south, east, north].join(','))
  const again = box()
  assert.ok(Math.abs((again[0] ?? 0) + (again[2] ?? 0) - west - east) < 0.05 && Math.abs((again[1] ?? 0) + (again[3] ?? 0) - south - north) < 0.05, 'a reload shows the same place')
  assert.match(await page.locator('.legend').innerText(), /tanpa data[\s\S]*edisi November 2026/)
  await page.goto(`${site.address}?ruang=perencanaan&layar=peta-jangkauan&operator=telkomsel&teknologi=lte&sel=888c1a4c33fffff`)
  await page.locator('.layer').first().waitFor()
  await page.locator('.layer summary').first().click()
  assert.match(await page.locator('.layer details').first().innerText(), /Nilai gabungan/)
  await page.getByRole('button', { name: 'Ajukan keberatan' }).click()
  await page.getByLabel('Terhadap').selectOption({ index: 2 })
  await page.getByLabel('Bukti', { exact: true }).fill('Dicoba tiga kali, tidak ada sinyal.')
  await assertAxe(page, 'challenge')
  await page.getByRole('button', { name: 'Kirim keberatan' }).click()
  await page.getByText('Keberatan diterima.').waitFor()
  assert.deepEqual(stored(), [{ path: '/v1/atlas/challenges', body: { edition: '0a1b2c3d4e5f', cell: '888c1a4c33fffff', operator: 'telkomsel', technology: 'lte', says: 'not_covered', evidence: 'Dicoba tiga kali, tidak ada sinyal.' } }])
  await page.getByRole('button', { name: 'Lihat keberatan' }).click()
  await page.getByRole('button', { name: 'Putuskan' }).first().click()
  assert.equal(await page.getByRole('button', { name: 'Terima', exact: true }).isDisabled(), true)
  await page.getByLabel('Jawaban dan alasannya').fill('Sejalan dengan ukuran.')
  await page.getByRole('button', { name: 'Terima', exact: true }).click()
  await page.waitForFunction(() => !document.body.innerText.includes('Jawaban dan alasannya'))
  assert.equal(stored().at(-1)?.path, '/v1/atlas/challenges/11111111-1111-4111-8111-111111111111/decision')
  await page.context().close()
})

test('without WebGL the same cells are painted by Canvas, say so, and can be opened', async () => {
  const page = await open('ruang=perencanaan&layar=peta-jangkauan&operator=telkomsel&teknologi=lte&peta=kanvas')
  await page.getByText('Mode peta: Canvas 2D').waitFor()
  await page.waitForFunction(() => /[1-9]\d* sel di layar/.test(document.body.innerText.replaceAll('.', '')))
  const coloured = await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.overlay')
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? new Uint8ClampedArray()
    let count = 0
    for (let i = 3; i < pixels.length; i += 4) if ((pixels[i] ?? 0) > 0) count++
    return count
  })
  assert.ok(coloured > 5_000, `${coloured} pixels`)
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-atlas-canvas-desktop-id.png` })
  await assertAxe(page, 'canvas')
  await page.goto(`${site.address}?ruang=perencanaan&layar=peta-jangkauan&operator=telkomsel&teknologi=lte&peta=kanvas&sel=888c1a4c33fffff`)
  await page.locator('.layer').first().waitFor()
  await page.waitForFunction(() => /[1-9]\d* sel di layar/.test(document.body.innerText.replaceAll('.', '')))
  const frame = await page.locator('.atlasmap .surface').boundingBox()
  await page.mouse.click((frame?.x ?? 0) + (frame?.width ?? 0) / 2 + 90, (frame?.y ?? 0) + (frame?.height ?? 0) / 2 + 70)
  await page.waitForURL((url) => /^88[0-9a-f]{13}$/.test(url.searchParams.get('sel') ?? '') && url.searchParams.get('sel') !== '888c1a4c33fffff')
  await page.locator('.cellpanel .mono', { hasText: parameters(page).get('sel') ?? '' }).waitFor()
  await page.context().close()
})

test('an operator sees its own layers and challenges alone, an association its challenges, and neither a plan', async () => {
  const from = site.asked.length
  const noc = await open('ruang=perencanaan', 'noc')
  await noc.locator('[data-screen=atlas] select').first().waitFor()
  await settled(noc)
  assert.deepEqual(await noc.locator('.tabs button').allInnerTexts(), ['Peta jangkauan'])
  assert.deepEqual(await noc.locator('label', { hasText: /^Operator/ }).locator('option').allInnerTexts(), ['Telkomsel'])
  assert.ok(!(await noc.locator('body').innerText()).includes('Indosat'))
  await noc.getByRole('button', { name: 'Keberatan' }).click()
  await noc.locator('.challenge').first().waitFor()
  assert.equal(await noc.getByRole('button', { name: 'Putuskan' }).count(), 0)
  assert.ok(!site.asked.slice(from).some((line) => line.startsWith('GET /v1/readiness')), 'no plan is asked for')
  await noc.context().close()
  const association = await open('ruang=perencanaan&layar=kesiapan', 'association')
  await association.locator('.challenge').first().waitFor()
  assert.equal(await association.getByRole('button', { name: 'Peta', exact: true }).count(), 0)
  await assertAxe(association, 'association')
  await association.context().close()
  const reader = await open('ruang=perencanaan&layar=lokasi&wilayah=5310', 'auditor')
  await reader.getByText('tetapi tidak memutuskan').waitFor()
  assert.equal(await reader.getByRole('checkbox').count(), 0)
  await reader.context().close()
})

test('before anything was published or planned the screens name the command; a province that nobody knows says so', async () => {
  const page = await open('ruang=perencanaan&layar=kesiapan')
  await page.locator('table.stations tbody tr').first().waitFor()
  site.planning.bare = true
  await page.reload()
  await page.getByText('kawal plan').waitFor()
  await assertAxe(page, 'no plan')
  await page.keyboard.press('2')
  await page.getByText('kawal atlas publish').waitFor()
  site.planning.bare = false
  await page.goto(`${site.address}?ruang=perencanaan&layar=kesiapan&wilayah=95`)
  await page.getByText('Semua TPS di sini tanpa data.').waitFor()
  assert.match(await page.locator('.summary').innerText(), /tanpa data\s+5\.701\s+100,0 %/)
  await page.context().close()
})

test('the campaign: reminding is asked twice and kept, an officer\'s position is decided with a date', async () => {
  const page = await open('ruang=perencanaan&layar=kampanye&wilayah=5310')
  await page.locator('[data-row]').first().waitFor()
  await page.getByRole('button', { name: 'Ingatkan', exact: true }).click()
  assert.deepEqual(stored(), [])
  await page.getByRole('button', { name: 'Ya, tandai' }).click()
  await page.getByText('312 TPS ditandai diingatkan').waitFor()
  assert.deepEqual(stored(), [{ path: '/v1/campaign/reminders', body: { area: '5310' } }])
  const fixes = page.getByRole('region', { name: 'Posisi dari petugas yang menunggu keputusan' }).first()
  await fixes.getByRole('button', { name: 'Terima' }).first().click()
  await page.waitForFunction(() => document.querySelectorAll('section[aria-label^="Posisi dari petugas"] tbody tr').length === 2)
  assert.equal(stored().at(-1)?.path, '/v1/positions/f-0/decision')
  assert.match(JSON.stringify(stored().at(-1)?.body), /"accepted","validFrom":"\d{4}-\d{2}-\d{2}"/)
  await page.context().close()
})

test('the sheet prints white on A4, without the screen around it', async () => {
  const page = await open('cetak=5310')
  await page.locator('.sheet footer').waitFor()
  await settled(page)
  const text = await page.locator('.sheet').innerText()
  for (const word of ['Kesiapan sinyal TPS: Manggarai', 'Rencana 12', 'Titik akses yang diandalkan', 'Pindah yang disetujui', '0a1b2c3d4e5f', 'Tanpa data bukan berarti baik']) assert.ok(text.includes(word), word)
  await page.emulateMedia({ media: 'print' })
  for (const part of ['.planhead', '.sheettools']) assert.equal(await page.locator(part).first().isVisible(), false, part)
  const [background, colour] = await page.locator('.sheet').evaluate((one) => [getComputedStyle(one).backgroundColor, getComputedStyle(one).color])
  assert.deepEqual([background, colour], ['rgb(255, 255, 255)', 'rgb(0, 0, 0)'])
  const pdf = await page.pdf({ preferCSSPageSize: true })
  const boxes = [...pdf.toString('latin1').matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, width, height]) => [Math.round(Number(width)), Math.round(Number(height))])
  assert.ok(boxes.length >= 1 && boxes.length <= 4, `${boxes.length} pages`)
  for (const box of boxes) assert.deepEqual(box, [595, 842])
  await page.context().close()
})

test('the planning room is no part of the first script', () => {
  const dist = fileURLToPath(new URL('./dist/', import.meta.url))
  const assets = readdirSync(`${dist}assets`)
  assert.ok(assets.some((name) => /^Planning-.*\.js$/.test(name)) && assets.some((name) => /^Atlas-.*\.js$/.test(name)))
  assert.ok(!readFileSync(`${dist}index.html`, 'utf8').includes('Planning-'), 'the page preloads it')
})
