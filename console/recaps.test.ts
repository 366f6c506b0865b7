import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sharesOf, shares } from './src/recaps/shares.ts'
import { assertAxe, desktop, openScreens, overflowOf, picture, type Screens } from './test/screens.ts'

const phone = { width: 390, height: 844 }
let screens: Screens
let site: Screens['site']
before(async () => {
  screens = await openScreens()
  site = screens.site
})
after(() => screens.close())

test('every expected slot is in one share of the bar, and what is not known when it is due is its own', () => {
  for (const counts of [{ expected: 10, due: 4, recorded: 6, delivered: 5 }, { expected: 10, due: 8, recorded: 3, delivered: 0 }, { expected: 10, due: null, recorded: 1, delivered: 1 }, { expected: 5, due: 5, recorded: 5, delivered: 5 }]) {
    const parts = sharesOf(counts)
    assert.equal(shares.reduce((sum, share) => sum + parts[share], 0), counts.expected, JSON.stringify(counts))
    assert.equal(parts.unknown > 0, counts.due === null)
  }
})

test('recaps against what is due: totals with their why, zones, and areas down to the station, all in the address', async () => {
  const page = await screens.open('', desktop)
  await page.getByRole('button', { name: 'Rekap', exact: true }).click()
  await page.getByText('dihitung per').waitFor()
  assert.ok(page.url().includes('tampil=rekap'))
  const text = (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  for (const word of ['Diharapkan 263.065', 'Tercatat 64.425 24 %', '! 41', '≠ 41', 'sudah waktunya, belum tercatat', 'belum waktunya', 'WITA', '13.00 WITA (12.00 WIB)', '14.00 WIT (12.00 WIB)', '3 catatan di karantina tidak menyebut TPS']) assert.ok(text.includes(word), `${word} in ${text}`)
  await page.getByText('mengapa?').nth(4).click()
  await page.getByText('kunci HP belum terdaftar 37, angka tidak mungkin 4').waitFor()
  await picture(page, 'recaps-id')
  await assertAxe(page, 'recaps')
  // the keyboard alone
  const province = page.getByRole('button', { name: 'Nusa Tenggara Timur', exact: true })
  await province.focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.search.includes('area=53'))
  await page.getByLabel('Kontes').selectOption('dpd')
  await page.waitForFunction(() => location.search.includes('kontes=dpd') && performance.getEntriesByType('resource').some(({ name }) => name.includes('/v1/recaps/overview?area=53&contest=dpd')))
  assert.equal(await page.getByRole('link', { name: 'Unduh CSV wilayah' }).getAttribute('href'), '/v1/recaps/overview?area=53&contest=dpd&format=csv')
  await page.goto(`${site.address}?tampil=rekap&area=5310012001`)
  await page.getByText('TPS 002 / 5310012001').waitFor()
  await page.getByRole('button', { name: 'Mengapa? Sinyal TPS 002' }).click()
  await page.locator('#detail').getByText('silent-2').waitFor()
  await page.goBack()
  await page.getByRole('button', { name: '1 Karantina, 5310012001002' }).click()
  await page.waitForFunction(() => location.search.includes('keadaan=quarantine'))
  await page.context().close()
})

test('what is stuck has its reason and who mends it; conflicts stand side by side; a box unheard for long says so', async () => {
  const page = await screens.open('&tampil=rekap&keadaan=quarantine', desktop)
  await page.getByText('kunci HP belum terdaftar').last().waitFor()
  const text = async (): Promise<string> => (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  for (const word of ['votes is 905', 'koreksi menurut kertas', 'daftarkan HP itu di TPS ini', 'tidak terbaca']) assert.ok((await text()).includes(word), word)
  await assertAxe(page, 'stuck recaps')
  await picture(page, 'recaps-stuck-id')
  await page.getByRole('button', { name: 'Halaman berikut' }).click()
  await page.getByText('kunci HP dicabut').waitFor()
  await page.getByRole('button', { name: 'Kembali ke awal' }).click()
  await page.getByLabel('Yang macet').selectOption('delivery')
  await page.getByText('dicoba 3 kali').waitFor()
  assert.ok(page.url().includes('keadaan=delivery'))
  await page.getByLabel('Yang macet').selectOption('photos')
  await page.getByText('2 dari 6 foto lengkap').waitFor()
  await page.getByRole('button', { name: /^Konflik/ }).click()
  await page.getByText('angkanya berbeda').waitFor()
  const slot = (await page.locator('.slot').first().innerText()).replace(/\s+/g, ' ')
  for (const word of ['HP ke-1', 'HP ke-2', 'Suara nomor 1 105 150 ≠ beda', 'Suara nomor 2 88 88']) assert.ok(slot.includes(word), `${word} in ${slot}`)
  assert.ok((await text()).includes('angkanya sama semua'))
  await assertAxe(page, 'conflicts')
  await picture(page, 'recaps-conflicts-id')
  await page.getByRole('button', { name: 'Kotak titip' }).click()
  await page.getByText('84,2 MB foto').waitFor()
  for (const word of ['Kantor Desa Wae Ri', 'sudah lebih dari 15 menit', 'jam kotak meleset -190 detik', 'masih terdengar', 'tidak ada, semua sudah diteruskan']) assert.ok((await text()).includes(word), word)
  await assertAxe(page, 'boxes')
  await picture(page, 'recaps-boxes-id')
  await page.context().close()
})

test('old counts are told and greyed; where nothing was counted nothing is shown as none; empty lists say what to do', async () => {
  site.stale = true
  const old = await screens.open('&tampil=rekap', desktop)
  await old.getByText('Hitungan ini sudah lama').waitFor()
  assert.equal(await old.locator('.old').count(), 2)
  await assertAxe(old, 'old counts')
  await old.context().close()
  Object.assign(site, { stale: false, empty: true })
  const bare = await screens.open('&tampil=rekap', desktop)
  await bare.getByText('Tanpa data: rekap belum pernah dihitung').waitFor()
  await bare.getByText('Tidak ada TPS di wilayah ini').waitFor()
  for (const [name, empty] of [['Macet', 'Tidak ada yang macet di sini'], ['Konflik', 'Tidak ada konflik'], ['Kotak titip', 'kawal serve --role custody']] as const) {
    await bare.getByRole('button', { name }).click()
    await bare.getByText(empty).waitFor()
  }
  await bare.context().close()
  site.empty = false
})

test('recaps on a phone, in English: nothing overflows, axe finds nothing', async () => {
  for (const [query, ready, name] of [['', 'counted as of', ''], ['&keadaan=photos', '2 of 6 photos whole', '-stuck'], ['&keadaan=conflicts', 'the numbers differ', '-conflicts'], ['&keadaan=boxes', 'still heard', '-boxes']] as const) {
    const page = await screens.open(`&bahasa=en&tampil=rekap${query}`, phone)
    await page.getByText(ready).last().waitFor()
    await picture(page, `recaps-phone${name}-en`)
    await assertAxe(page, `recaps${name} on a phone`)
    assert.equal(await overflowOf(page), 0, name)
    await page.context().close()
  }
})
