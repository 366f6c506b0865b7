import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import chromium from '@sparticuz/chromium'
import { chromium as playwright, type Browser, type Locator, type Page } from 'playwright-core'
import { openSite, type Site } from './test/site.ts'

const desktop = { width: 1440, height: 900 }
const phone = { width: 360, height: 640 }
const pictures = process.env['CONSOLE_PICTURES']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** One process for all dies with its first context; the origin rules stay on as in a real browser. */
const refused = new Set(['--single-process', '--disable-web-security'])

let site: Site
let browser: Browser

before(async () => {
  site = await openSite()
  browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: chromium.args.filter((flag) => !refused.has(flag)), headless: true })
})
after(async () => {
  await browser.close()
  await site.close()
})

async function open(query: string, viewport: { width: number; height: number }): Promise<Page> {
  const context = await browser.newContext({ viewport, locale: 'id-ID' })
  const page = await context.newPage()
  page.on('pageerror', (error) => assert.fail(`the page threw: ${error.message}`))
  await page.goto(`${site.address}?masuk=benar${query}`)
  await page.locator('.card').first().or(page.locator('.empty').first()).waitFor({ state: 'attached' })
  return page
}

/** With CONSOLE_PICTURES=PREFIX the screens are kept as PREFIX-NAME.png. */
async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-${name}.png` })
}

async function assertAxe(page: Page, screen: string): Promise<void> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe
    return (await run.run()).violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`).join(' | ')}`)
  })
  assert.deepEqual(found, [], screen)
}

const mapReady = (page: Page): Promise<void> => page.locator('[data-mode]').waitFor({ state: 'attached', timeout: 20_000 })

test('without a session a plain page says how to get a link, and a wrong token is refused with its code', async () => {
  const page = await (await browser.newContext({ viewport: phone })).newPage()
  await page.goto(site.address)
  await page.getByText('tautan sekali pakai').waitFor()
  await picture(page, 'login')
  await assertAxe(page, 'log-in')
  await page.getByLabel('Token').fill('salah')
  await page.getByRole('button', { name: 'Masuk', exact: true }).click()
  await page.getByText('login_link_unknown').waitFor()
  await page.getByLabel('Token').fill(`${site.address}?masuk=benar`)
  await page.getByRole('button', { name: 'Masuk', exact: true }).click()
  await page.locator('.card').first().waitFor({ state: 'attached' })
  await page.context().close()
})

test('a log-in link opens the screen and leaves the address; the strip tells the five numbers', async () => {
  const page = await open('', desktop)
  assert.ok(!page.url().includes('masuk'), page.url())
  assert.equal(await page.locator('html').getAttribute('lang'), 'id')
  const strip = await page.locator('header').innerText()
  for (const word of ['TPS terdampak', '154', '+7 diduga', 'Gangguan pasti', 'Tenggat berikutnya', 'terancam', '8.034', '5.213', 'GLADI', 'WIB']) assert.ok(strip.includes(word), `${word} in ${strip}`)
  await mapReady(page)
  await page.waitForTimeout(1500)
  await picture(page, 'desktop-id')
  await assertAxe(page, 'map')
  await page.context().close()
})

test('the queue is ranked by priority; suspected, planned, ended and retracted stand apart, each with its stage in words', async () => {
  const page = await open('', desktop)
  const heads = await page.locator('#queue > .cards').first().locator('.card').evaluateAll((cards) => cards.map((card) => card.className.replace(/ svelte-\w+/, '')))
  assert.deepEqual(heads, ['card recovering', 'card confirmed', 'card confirmed'])
  const queue = page.locator('#queue')
  const text = await queue.innerText()
  for (const word of ['dampak belum dihitung', '36 TPS tanpa jalan lain yang pasti', 'batas kirim rekapitulasi 95 menit lagi', '+1 gangguan di bawahnya (14 TPS)', 'Dugaan, belum dipastikan', 'tiket dibuka bila dipastikan']) assert.ok(text.includes(word), `${word} in ${text}`)
  assert.ok(!text.includes('Umalulu') && !text.includes('Reok'), 'what is held back is no card')
  await queue.locator('summary', { hasText: 'Pekerjaan terencana' }).click()
  await queue.getByText('Umalulu').waitFor()
  await queue.locator('summary', { hasText: 'Selesai dan dicabut' }).click()
  assert.ok((await queue.locator('.card.retracted').innerText()).includes('dicabut'))
  await assertAxe(page, 'queue with its lists open')
  await page.context().close()
})

test('j and k select, Enter goes to the detail, the address follows, a ticket can be opened', async () => {
  const page = await open('&gangguan=g-8', desktop)
  const detail = page.locator('#detail')
  await detail.getByText('Yang belum diketahui').waitFor()
  await page.keyboard.press('j')
  await page.locator('.card[aria-current="true"]', { hasText: 'Manggarai' }).waitFor()
  assert.ok(page.url().includes('gangguan=g-1'))
  await detail.getByText('memburuk lagi').waitFor()
  const text = await detail.innerText()
  for (const word of [
    'penghubung (backhaul), kemungkinan besar (87 %)', 'Skor 8,3 > ambang 6,0', 'aturan promises-1', 'Saksi operator lain, baik', 'radio kuat pada laporan yang lolos', 'TSEL-884213',
    'TPS tanpa jalan lain', 'Jumlah = prioritas', 'dijeda', 'terancam', 'dinyatakan pulih', 'dibuka lagi', 'alarm operator masuk', 'penyebab dinilai: penghubung (backhaul) (87 %)', '2 perubahan luas lain', 'WITA', 'Menahan',
  ]) assert.ok(text.includes(word), `${word} in ${text}`)
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'detail')
  await mapReady(page)
  await page.waitForTimeout(800)
  await picture(page, 'detail-id')
  await assertAxe(page, 'detail')
  for (const [heading, name] of [['Mengapa?', 'reasons'], ['Dampak', 'impact'], ['Kronologi', 'chronicle']] as const) {
    await detail.getByRole('heading', { name: heading, exact: true }).evaluate((one) => one.scrollIntoView())
    await picture(page, `${name}-id`)
  }
  await page.keyboard.press('j')
  assert.ok(page.url().includes('gangguan=g-2'))
  await page.keyboard.press('t')
  await detail.getByText('Tiket diminta').waitFor()
  assert.ok(site.asked.includes('POST /v1/disturbances/g-2/ticket'))
  await page.keyboard.press('j')
  assert.ok(page.url().includes('gangguan=g-5'), 'what is suspected comes behind the cards')
  await detail.getByText('Belum ada yang tercatat').waitFor()
  await page.keyboard.press('t')
  await assertAxe(page, 'suspected')
  await picture(page, 'suspected-id')
  assert.ok(!site.asked.includes('POST /v1/disturbances/g-5/ticket'), 'what is only suspected is told to no operator')
  await page.keyboard.press('k')
  await page.keyboard.press('k')
  assert.ok(page.url().includes('gangguan=g-1'))
  await detail.getByRole('button', { name: /^Mengapa TPS/ }).first().click()
  await detail.getByText('silent-2').waitFor()
  await assertAxe(page, 'why')
  await picture(page, 'why-id')
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await assertAxe(page, 'help')
  await page.context().close()
})

test('what is held back says by what, and leads there; planned work and a retraction say what they mean', async () => {
  const page = await open('&gangguan=g-6', desktop)
  const detail = page.locator('#detail')
  await detail.getByText('Ditahan: gangguan ini terletak di dalam gangguan lain').waitFor()
  assert.equal(await detail.getByRole('button', { name: 'Buka tiket' }).count(), 0)
  await assertAxe(page, 'held back')
  await detail.getByRole('button', { name: 'Penghubung (backhaul) Telkomsel putus, Manggarai' }).click()
  assert.ok(page.url().includes('gangguan=g-1'))
  await page.goto(`${site.address}?gangguan=g-7`)
  await detail.getByText('pekerjaan terencana PT-0007').waitFor()
  await page.goto(`${site.address}?gangguan=g-10`)
  await detail.getByText('Ternyata bagian dari gangguan lain').waitFor()
  assert.ok(!(await detail.innerText()).includes('pulih'), 'what was merged was not measured to be well')
  await page.goto(`${site.address}?gangguan=g-9`)
  await detail.getByText('menunjukkan bahwa tidak ada gangguan').waitFor()
  await page.context().close()
})

test('the language switches, and the address keeps it', async () => {
  const page = await open('&gangguan=g-1', desktop)
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByText('backhaul, very likely (87 %)').waitFor()
  await page.getByText('worse again').waitFor()
  assert.equal(await page.locator('html').getAttribute('lang'), 'en')
  assert.ok(page.url().includes('bahasa=en'))
  await mapReady(page)
  await page.waitForTimeout(800)
  await picture(page, 'desktop-en')
  await assertAxe(page, 'english')
  await page.context().close()
})

test('the table is the map in words: it sorts, opens an area, and says what failed', async () => {
  const page = await open('&tampil=tabel', desktop)
  assert.equal(await page.locator('.tables tbody th').nth(1).innerText(), 'Manggarai')
  await page.getByRole('button', { name: 'Wilayah', exact: true }).click()
  assert.ok(page.url().includes('urut=-name'))
  site.broken = true
  await page.getByRole('button', { name: 'Manggarai', exact: true }).click()
  await page.getByText('database_away').waitFor()
  site.broken = false
  await page.getByRole('button', { name: 'Coba lagi' }).click()
  await page.getByText('5310102003001').first().waitFor()
  await picture(page, 'table-id')
  await assertAxe(page, 'table')
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Unduh CSV' }).first().click()])
  assert.equal(file.suggestedFilename(), 'wilayah.csv')
  await page.context().close()
})

test("an officer's report is a card of its own, without disturbance or clocks, and is answered there", async () => {
  const page = await open('', desktop)
  const card = page.locator('.card.reported', { hasText: 'Wae Mbeleng' })
  const said = await card.innerText()
  for (const word of ['sinyal', 'TPS 004 / 5310102003', 'Wae Mbeleng, Ruteng', 'di balai desa <b>sejak pagi</b>', 'dibuka lagi', 'Kementerian Komunikasi', 'menit lalu']) assert.ok(said.includes(word), `${word} in ${said}`)
  await card.click()
  assert.ok(page.url().includes('tiket=LP-000017'))
  const detail = page.locator('#detail')
  await detail.getByText('Petugas KPPS').first().waitFor()
  const text = await detail.innerText()
  for (const word of ['LP-000017', 'Antena diarahkan', '1 kali dibuka lagi oleh petugas', 'WITA']) assert.ok(text.includes(word), `${word} in ${text}`)
  for (const word of ['ditutup oleh pengukuran', 'Layanan pulih', 'perangkat diam']) assert.ok(!text.includes(word), `${word} in ${text}`)
  await mapReady(page)
  await picture(page, 'reported-id')
  await assertAxe(page, 'reported')
  await detail.getByLabel('Jawaban untuk petugas').fill('Tim berangkat')
  await detail.getByRole('button', { name: 'Kirim catatan' }).click()
  await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>('textarea')?.value === '')
  assert.ok(site.asked.includes('PATCH /tmf-api/troubleTicket/v5/troubleTicket/LP-000017'))
  await page.goBack()
  assert.ok(!page.url().includes('tiket='))
  await page.context().close()
  const small = await open('&tiket=LP-000017&bahasa=en', phone)
  await small.getByText('Reported by an officer: signal').waitFor()
  await assertAxe(small, 'reported on a phone')
  assert.equal(await small.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0)
  await small.context().close()
})

test('what an organisation asks stands in a list of its own, and opens in its own words', async () => {
  const page = await open('', desktop)
  await page.getByText('Permintaan organisasi yang terbuka').waitFor()
  await page.locator('.card.reported', { hasText: 'TT-g-1' }).click()
  assert.ok(page.url().includes('tiket=PM-000004'))
  const detail = page.locator('#detail')
  await detail.getByText('Permintaan: data').waitFor()
  const text = await detail.innerText()
  for (const word of ['PM-000004', 'tingkat High', 'nomor mereka TSEL-8812', 'Telkomsel', 'Daftar diperbarui', 'WIB', 'yang meminta menyatakan selesai']) assert.ok(text.includes(word), `${word} in ${text}`)
  assert.ok(!text.includes('Sudah selesai'), 'only who asked says so')
  await mapReady(page)
  await picture(page, 'request-id')
  await assertAxe(page, 'request')
  await page.context().close()
  const small = await open('&tiket=PM-000004&bahasa=en', phone)
  await small.getByText('Request: data').waitFor()
  await assertAxe(small, 'request on a phone')
  assert.equal(await small.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0)
  await picture(small, 'request-phone-en')
  await small.context().close()
})

test('a dispute shows both sides in words, and the centre answers it there, not before it said why', async () => {
  const page = await open('&gangguan=g-1', desktop)
  const detail = page.locator('#detail')
  await detail.getByText('Sengketa: listrik padam').waitFor()
  const text = await detail.innerText()
  for (const word of ['oleh Telkomsel', 'Genset habis bahan bakar <b>sejak subuh</b>', 'Terukur saat itu: 88 dari 96 perangkat diam', 'Menunggu jawaban pusat pemantauan', 'Jawab sengketa']) assert.ok(text.includes(word), `${word} in ${text}`)
  const [reject, transfer, cancel] = ['Tolak', 'Benarkan dan alihkan', 'Benarkan dan batalkan tiket'].map((name) => detail.getByRole('button', { name, exact: true })) as [Locator, Locator, Locator]
  for (const button of [reject, transfer, cancel]) assert.equal(await button.isDisabled(), true)
  await assertAxe(page, 'dispute')
  await detail.getByLabel('Alihkan ke lembaga').fill('bakti')
  assert.deepEqual([await transfer.isDisabled(), await cancel.isDisabled()], [false, true])
  const sent = async (press: Locator): Promise<unknown> => {
    const [request] = await Promise.all([page.waitForRequest((each) => each.method() === 'PATCH'), press.click()])
    return request.postDataJSON()
  }
  const answer = (value: string, reason: string): object => ({ '@type': 'TroubleTicket', statusChangeReason: reason, troubleTicketCharacteristic: [{ '@type': 'StringCharacteristic', name: 'disputeAnswer', valueType: 'string', value }] })
  assert.deepEqual(await sent(transfer), { ...answer('uphold', ''), relatedParty: [{ '@type': 'RelatedPartyRefOrPartyRoleRef', role: 'operator', partyOrPartyRole: { '@type': 'PartyRef', id: 'bakti' } }] })
  const why = detail.getByLabel('Alasan (wajib untuk menolak atau membatalkan)')
  await why.fill('seluruh kecamatan padam')
  assert.deepEqual(await sent(cancel), { ...answer('uphold', 'seluruh kecamatan padam'), status: 'cancelled' })
  await why.fill('pengisi daya tetap menyala')
  assert.deepEqual(await sent(reject), answer('reject', 'pengisi daya tetap menyala'))
  await page.context().close()
  const small = await open('&gangguan=g-1&bahasa=en', phone)
  await small.getByText('Dispute: the mains are off').waitFor()
  await assertAxe(small, 'dispute on a phone')
  assert.equal(await small.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0)
  await picture(small, 'dispute-phone-en')
  await small.context().close()
})

test('a delta adds a card and is announced; 30 s of silence raise the banner', async () => {
  const context = await browser.newContext({ viewport: desktop })
  const page = await context.newPage()
  await page.clock.install()
  await page.goto(`${site.address}?masuk=benar`)
  await page.locator('.card').first().waitFor()
  const before = await page.locator('.card').count()
  site.delta()
  await page.locator('.card', { hasText: 'Ende' }).waitFor()
  assert.equal(await page.locator('.card').count(), before + 1)
  assert.match(await page.locator('[aria-live]').innerText(), /Gangguan baru.*Ende/)
  await page.route('**/v1/live', (route) => route.abort())
  await page.clock.runFor(31_000)
  await page.getByRole('alert').waitFor()
  assert.match(await page.getByRole('alert').innerText(), /Data berhenti mengalir selama 30 detik/)
  await picture(page, 'silent-id')
  await assertAxe(page, 'banner')
  await context.close()
})

const overflowOf = (page: Page): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

test("operators' alarms are listed with their evidence; filters are in the address; unplaced ones say why", async () => {
  const page = await open('', desktop)
  await page.getByRole('button', { name: 'Alarm operator' }).click()
  await page.getByText('Link transmisi putus').waitFor()
  assert.ok(page.url().includes('tampil=alarm'))
  const text = await page.locator('.tables').innerText()
  for (const word of ['kritis', 'penghubung (backhaul)', 'muncul 3 kali', 'tidak terpetakan: pemancar tidak dikenal', 'tidak menjadi bukti', 'selama 45 menit', 'Penghubung (backhaul) Telkomsel putus, Manggarai']) assert.ok(text.includes(word), `${word} in ${text}`)
  await assertAxe(page, 'alarms')
  await picture(page, 'alarms-id')
  await page.getByLabel('Status').selectOption('cleared')
  await page.getByText('Mains failure').waitFor()
  await page.getByText('Link transmisi putus').waitFor({ state: 'detached' })
  assert.ok(page.url().includes('keadaan=cleared'))
  await page.getByLabel('Keparahan').selectOption('critical')
  await page.getByText('Tidak ada yang cocok dengan saringan ini').waitFor()
  await page.goto(`${site.address}?tampil=alarm&keparahan=critical`)
  await page.getByRole('button', { name: 'Penghubung (backhaul) Telkomsel putus, Manggarai' }).click()
  assert.ok(page.url().includes('gangguan=g-1'))
  await page.locator('#detail').getByRole('button', { name: 'TSEL-884213' }).waitFor()
  await page.context().close()
  site.empty = true
  const empty = await open('&tampil=alarm', desktop)
  await empty.getByText('Belum ada alarm yang masuk').waitFor()
  assert.ok((await empty.locator('pre').innerText()).includes('/v1/alarms/alertmanager'))
  await assertAxe(empty, 'no alarms')
  await picture(empty, 'alarms-empty-id')
  site.empty = false
  await empty.context().close()
})

test('planned work is announced one by one or as CSV, and withdrawn after asking again', async () => {
  const page = await open('&tampil=pekerjaan', desktop)
  await page.getByText('Penggantian catu daya Umalulu').first().waitFor()
  await page.getByRole('button', { name: 'Umumkan pekerjaan' }).click()
  const form = page.locator('form.announce')
  await form.getByLabel('Pekerjaan').fill('Uji genset')
  await form.getByLabel('Operator').fill('telkomsel')
  await form.getByLabel('Mulai (WIB)').fill('2029-02-14T01:00')
  await form.getByLabel('Sampai (WIB)').fill('2029-02-14T03:00')
  await form.getByLabel('Wilayah').fill('99')
  await form.getByLabel('Alasan').fill('Uji berkala')
  await form.getByRole('button', { name: 'Umumkan pekerjaan' }).click()
  await form.getByText('There is no area 99').waitFor()
  await picture(page, 'works-id')
  await assertAxe(page, 'planned work')
  await form.getByLabel('Wilayah').fill('5310, 531102')
  await form.getByRole('button', { name: 'Umumkan pekerjaan' }).click()
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('form.announce input')?.value === '')
  assert.deepEqual(site.announced.at(-1), JSON.stringify({ title: 'Uji genset', from: '2029-02-14T01:00:00+07:00', to: '2029-02-14T03:00:00+07:00', areas: ['5310', '531102'], reason: 'Uji berkala', operator: 'telkomsel' }))
  await form.getByRole('button', { name: 'Tempel CSV' }).click()
  await form.getByLabel('Kalender sebagai CSV').fill('title,from,to,areas,reason\na,b,c,d,e')
  await form.getByRole('button', { name: 'Umumkan pekerjaan' }).click()
  await form.getByText('1 disimpan, 0 sudah dikenal, 1 ditolak').waitFor()
  await form.getByText('Baris 3: from "besok" is no instant').waitFor()
  await page.getByRole('button', { name: 'Tarik: Penggantian catu daya Umalulu' }).click()
  assert.ok(!site.asked.includes('DELETE /v1/planned-work/PT-0007'))
  await page.getByRole('button', { name: 'Ya, tarik' }).click()
  await page.getByRole('button', { name: 'Tarik: Penggantian catu daya Umalulu' }).waitFor()
  assert.ok(site.asked.includes('DELETE /v1/planned-work/PT-0007'))
  await page.context().close()
})

test('alarms and planned work on a phone, in English: nothing overflows, axe finds nothing', async () => {
  for (const [query, ready, name] of [['&tampil=alarm', 'lasted 45 min', 'alarms'], ['&tampil=pekerjaan', 'withdrawn', 'works']] as const) {
    const page = await open(`&bahasa=en${query}`, phone)
    await page.getByText(ready).last().waitFor()
    await picture(page, `phone-${name}-en`)
    await assertAxe(page, `${name} on a phone`)
    assert.equal(await overflowOf(page), 0)
    await page.context().close()
  }
})

test('on a phone map and queue are tabs, nothing overflows, and text at 200 % still fits', async () => {
  const page = await open('&tampil=antrean', phone)
  await page.locator('.card').first().waitFor()
  await picture(page, 'phone-queue-id')
  await assertAxe(page, 'phone queue')
  const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.equal(await overflow(), 0)
  await page.locator('.card', { hasText: 'Manggarai' }).first().click()
  await page.getByText('memburuk lagi').waitFor()
  await picture(page, 'phone-detail-id')
  await assertAxe(page, 'phone detail')
  await page.goBack()
  await page.getByRole('button', { name: 'Peta' }).click()
  await mapReady(page)
  await page.waitForTimeout(800)
  await picture(page, 'phone-map-id')
  await assertAxe(page, 'phone map')
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '32px'))
  await page.waitForTimeout(300)
  await picture(page, 'phone-200-id')
  assert.equal(await overflow(), 0, await page.evaluate(() => [...document.querySelectorAll('#app *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 70)).join('; ')))
  await page.context().close()
})

test('the Canvas painter takes over and says so; the wall and the empty room have their faces', async () => {
  const page = await open('&peta=kanvas&area=5310', desktop)
  await page.getByText('Mode peta: Canvas 2D').waitFor()
  await page.waitForTimeout(1500)
  await picture(page, 'canvas-id')
  await assertAxe(page, 'canvas')
  await page.context().close()
  const wall = await open('&dinding=1&area=5310', { width: 1920, height: 1080 })
  await mapReady(wall)
  await wall.waitForTimeout(1500)
  const small = await wall.evaluate(() => [...document.querySelectorAll<HTMLElement>('#app *')]
    .filter((one) => one.offsetParent !== null && !one.closest('.visually-hidden') && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim() !== ''))
    .filter((one) => parseFloat(getComputedStyle(one).fontSize) < 24).map((one) => one.outerHTML.slice(0, 80)))
  assert.deepEqual(small, [], 'text under 24 px on the wall')
  await picture(wall, 'wall-id')
  await wall.context().close()
  site.empty = true
  const empty = await open('', desktop)
  await empty.getByText('Tidak ada gangguan yang dipastikan').waitFor()
  await empty.getByText(/Terakhir diperiksa .* WIB/).waitFor()
  await assertAxe(empty, 'empty')
  site.empty = false
  await empty.context().close()
})

test('the initial script is at most 120 KB gzipped; the map is a chunk of its own', () => {
  const dist = fileURLToPath(new URL('./dist/', import.meta.url))
  const html = readFileSync(`${dist}index.html`, 'utf8')
  const first = [...html.matchAll(/assets\/[^"]+\.js/g)].map(([name]) => name)
  assert.ok(first.length > 0, 'index.html names its script')
  const bytes = first.reduce((sum, name) => sum + gzipSync(readFileSync(dist + name)).length, 0)
  assert.ok(bytes <= 120_000, `${bytes} bytes`)
  assert.ok(readdirSync(`${dist}assets`).some((name) => name.startsWith('webgl-') && name.endsWith('.js')), 'the map is loaded apart')
})
