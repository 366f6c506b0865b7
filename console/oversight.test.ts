import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertAxe, desktop, openScreens, overflowOf, picture, type Screens } from './test/screens.ts'

const phone = { width: 390, height: 844 }
let screens: Screens
let site: Screens['site']
before(async () => {
  screens = await openScreens()
  site = screens.site
})
after(() => screens.close())

test('the ledger shows its key, its newest checkpoint and how to check it elsewhere; without one it says so', async () => {
  const page = await screens.open('', desktop)
  await page.getByRole('button', { name: 'Pengawasan', exact: true }).click()
  await page.getByText('820.161').waitFor()
  assert.ok(page.url().includes('tampil=pengawasan'))
  const text = (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  for (const word of ['kawal.example/ledger', 'saksi.example/bawaslu', `-- verify log ${new URL(site.address).origin}/ledger --key 'kawal.example/ledger+00000001+`]) assert.ok(text.includes(word), `${word} in ${text}`)
  await assertAxe(page, 'ledger')
  await picture(page, 'oversight-ledger-id')
  await page.context().close()
  site.empty = true
  const bare = await screens.open('&tampil=pengawasan', desktop)
  await bare.getByText('Buku besar tidak terbuka di server ini').waitFor()
  await assertAxe(bare, 'no ledger')
  await bare.context().close()
  site.empty = false
})

test('witnesses: what each has seen, what is wrong in words and how to mend it; a broken log is an alarm; without any, how to add one', async () => {
  const page = await screens.open('&tampil=pengawasan&keadaan=witnesses', desktop)
  await page.getByText('pernah melihat sejarah lain').waitFor()
  const text = (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  for (const word of ['819.700 entri', '461 entri menunggu saksi', 'dua: 2 bawaslu kampus media pemantau', 'melihat buku besar', 'tidak menjawab', 'connect ECONNREFUSED', 'belum ditanya', 'Berhenti, biarkan basis data apa adanya']) assert.ok(text.includes(word), `${word} in ${text}`)
  assert.match(await page.getByRole('alert').innerText(), /tidak seperti yang dilihat saksi/)
  assert.deepEqual(await page.locator('tbody tr').evaluateAll((rows) => rows.map((row) => row.classList.contains('old'))), [false, true, true, false])
  await assertAxe(page, 'witnesses')
  await picture(page, 'oversight-witnesses-id')
  await page.context().close()
  site.empty = true
  const bare = await screens.open('&tampil=pengawasan&keadaan=witnesses', desktop)
  await bare.getByText('Belum ada saksi untuk buku besar ini').waitFor()
  await bare.getByText('--witness-policy kebijakan').waitFor()
  await assertAxe(bare, 'no witnesses')
  await picture(bare, 'oversight-no-witnesses-id')
  await bare.context().close()
  site.empty = false
})

test('what lacks: counts of each kind and area, then lines with who mends them; where nothing lacks it says what was compared', async () => {
  const page = await screens.open('&tampil=pengawasan&keadaan=completeness', desktop)
  await page.getByText('3 catatan di kotak-5310072003004/ledger').waitFor()
  const text = async (): Promise<string> => (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  const first = await text()
  for (const word of ['109.235 isian yang ditunggu', 'Penerima menjawab untuk 58.132 isian', '45.020 belum ada catatan', '41 disimpan, belum berlaku, Nusa Tenggara Timur', 'sambungkan kotak ke jaringan']) assert.ok(first.includes(word), `${word} in ${first}`)
  await assertAxe(page, 'what lacks')
  await picture(page, 'oversight-completeness-id')
  await page.getByRole('button', { name: /pernah dibuat, tidak ada di mana pun$/ }).first().click()
  await page.getByText('catatan nomor 3 sampai 5').waitFor()
  assert.ok(page.url().includes('butir=missing'))
  assert.ok((await text()).includes('HP perekam, atau kotak tempat ia menitipkan, masih menyimpannya'))
  assert.equal(await page.getByRole('link', { name: 'Unduh CSV' }).getAttribute('href'), '/v1/recaps/completeness/gaps?kind=missing&format=csv')
  await page.getByRole('button', { name: '22.494 belum ada catatan, Papua Tengah' }).click()
  await page.getByText('Wilayah 94').waitFor()
  assert.ok(page.url().includes('butir=empty') && page.url().includes('area=94'))
  await page.getByRole('button', { name: 'Halaman berikut' }).waitFor()
  await page.context().close()
  site.empty = true
  const bare = await screens.open('&tampil=pengawasan&keadaan=completeness', desktop)
  await bare.getByText('Tidak ada yang kurang').waitFor()
  assert.ok((await bare.locator('.tables').innerText()).includes('Tidak ada penerima yang diatur'))
  await assertAxe(bare, 'nothing lacks')
  await picture(bare, 'oversight-completeness-empty-id')
  await bare.context().close()
  site.empty = false
})

test('the second sender: counts by kind and area, lists, and one form side by side, where nothing settles anything; letters are for Bawaslu alone', async () => {
  const page = await screens.open('&tampil=pengawasan&keadaan=comparison', desktop)
  await page.getByText('2 isian berbeda').waitFor()
  const text = async (): Promise<string> => (await page.locator('.tables').innerText()).replace(/\s+/g, ' ')
  for (const word of ['= Sama 51.220', '≠ Berbeda 38', '◧ Hanya KPU 12.905', '◨ Hanya Bawaslu 211', '∅ Belum ada 198.641', 'Nusa Tenggara Timur', 'Formulir keduanya lain jenis']) assert.ok((await text()).includes(word), `${word} in ${await text()}`)
  assert.equal(await page.getByText('Surat Pengawas TPS').count(), 0)
  await assertAxe(page, 'comparison')
  await picture(page, 'oversight-comparison-id')
  assert.equal(await page.getByRole('link', { name: 'Unduh CSV daftar ini' }).getAttribute('href'), '/v1/recaps/comparison/slots?kind=differ&format=csv')
  await page.getByRole('button', { name: 'Satu pihak berkonflik' }).click()
  await page.getByText('Tidak ada di wilayah ini').waitFor()
  assert.ok(page.url().includes('butir=conflict'))
  await page.goBack()
  await page.getByRole('button', { name: /TPS 002.*Presiden/ }).click()
  await page.getByText('mungkin satu angka salah baca').first().waitFor()
  assert.ok(page.url().includes('butir=5310012001002-ppwp'))
  for (const word of ['KPU (petugas, KPPS) 31Z9N-R5Y43', 'Bawaslu (Pengawas TPS) 4M2QX-8B71C', 'Suara nomor 1 728 128 ≠ beda', 'jumlahnya cocok dengan angka Bawaslu', 'Suara nomor 2 71 71', 'itu tidak mengoreksi apa pun', 'di karantina: kunci HP belum terdaftar', '1 dari 2 foto lengkap', 'dikoreksi catatan pihaknya']) assert.ok((await text()).includes(word), `${word} in ${await text()}`)
  assert.deepEqual(await page.locator('.tables button:not(.sections button)').allInnerTexts(), ['Kembali ke daftar'], 'no button settles')
  await page.getByLabel('Tampilkan semua isian').check()
  assert.ok((await text()).includes('Pemilih dalam DPT, laki-laki'))
  await page.locator('summary').filter({ hasText: 'Tanda terima' }).first().click()
  await page.getByText('c2sp.org/tlog-proof@v1').first().waitFor()
  await assertAxe(page, 'one slot')
  await picture(page, 'oversight-slot-id')
  await page.context().close()
})

test('oversight on a phone, in English: nothing overflows, axe finds nothing', async () => {
  for (const [query, ready, name] of [['', '820,161', 'ledger'], ['&keadaan=acts', '4,711', 'acts'], ['&keadaan=knowledge&butir=g-1', '11 lines', 'knowledge'], ['&keadaan=witnesses', 'has seen another history', 'witnesses'], ['&keadaan=completeness&butir=missing', 'record number 2', 'completeness'], ['&keadaan=comparison', '2 fields differ', 'comparison'], ['&keadaan=comparison&butir=5310012001002-ppwp', 'one digit may be misread', 'slot']] as const) {
    const page = await screens.open(`&bahasa=en&tampil=pengawasan${query}`, phone)
    await page.getByText(ready).last().waitFor()
    await picture(page, `oversight-phone-${name}-en`)
    await assertAxe(page, `${name} on a phone`)
    assert.equal(await overflowOf(page), 0, name)
    await page.context().close()
  }
})

test('the log of acts, and who knew what when: by the address, from a list, as CSV', async () => {
  const acts = await screens.open('&tampil=pengawasan&keadaan=acts', desktop)
  await acts.getByText('4.711').waitFor()
  assert.match((await acts.locator('.tables').innerText()).replace(/\s+/g, ' '), /kawal\.example\/acts.*-- verify log http:\/\/[^ ]+\/acts --key/)
  await acts.getByRole('button', { name: 'Siapa tahu apa, kapan' }).click()
  await acts.getByLabel('Wilayah').fill('tidak ada')
  await acts.getByText('Tidak ada yang cocok').waitFor()
  await acts.getByLabel('Wilayah').fill('')
  await acts.locator('.offered button').first().click()
  await acts.getByText('11 catatan').waitFor()
  assert.ok(new URL(acts.url()).searchParams.get('butir') !== null)
  const text = (await acts.locator('.tables ol').innerText()).replace(/\s+/g, ' ')
  for (const word of ['terukur dipastikan', 'tiket dibuka', 'dipanggil tingkat 1 Telkomsel, Piket <b>NOC</b>', 'pesan tidak sampai sms', 'bertindak mengubah tiket Telkomsel, Petugas malam catatan ke-1.207 di log', 'berkomentar genset jalan', 'terukur terukur pulih']) assert.ok(text.includes(word), `${word} in ${text}`)
  assert.match(await acts.getByRole('link', { name: 'Unduh CSV' }).getAttribute('href') ?? '', /^\/v1\/knowledge\?about=.*&format=csv$/)
  await assertAxe(acts, 'knowledge')
  await picture(acts, 'oversight-knowledge-id')
  await acts.context().close()
})
