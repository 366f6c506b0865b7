import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { scratch } from '@kawal/testkit/scratch.ts'
import { launchBrowser } from './browser.ts'
import { kawal, publish } from './planning.ts'
import { startRehearsal } from './watch.ts'

/** From the list to a station of class B, whose position is corrected. */
async function correctFirst(page: Page, isSure: () => void): Promise<void> {
  await page.locator('.classtoggle').nth(1).click()
  await page.waitForURL((url) => url.searchParams.get('kelas') === 'b')
  await page.locator('table.stations tbody tr button.link').first().click()
  await page.locator('.ladder li').first().waitFor()
  assert.equal(await page.locator('.ladder li').count(), 6)
  await page.getByRole('button', { name: 'Perbaiki posisi' }).click()
  await page.getByLabel('Lintang').fill('0,55')
  await page.getByLabel('Bujur').fill('123.05')
  await page.getByRole('button', { name: 'Simpan posisi' }).click()
  await page.getByText('Posisi tersimpan').or(page.getByText('Saya yakin')).waitFor()
  if (!(await page.getByText('Saya yakin').isVisible())) return
  // a place more than 50 km from the village is refused, and taken when KPU is sure
  isSure()
  await page.getByText('Saya yakin').click()
  await page.getByRole('button', { name: 'Simpan posisi' }).click()
  await page.getByText('Posisi tersimpan').waitFor()
}

/** The other screens, each until it shows what only a whole answer gives. */
async function seeScreens(page: Page, origin: string, edition: string): Promise<void> {
  const open = async (query: string): Promise<void> => void (await page.goto(`${origin}/console/?ruang=perencanaan&${query}`))
  await open('layar=peta-jangkauan&operator=telkomsel&teknologi=lte&bagian=tabel')
  await page.locator('.celltable tbody tr th').first().waitFor()
  await open('layar=peta-jangkauan&bagian=edisi')
  await page.getByText('Klaim berlebih').waitFor()
  await open('layar=lokasi&wilayah=7501')
  await page.getByText('Bagaimana jika?').click()
  await page.getByRole('button', { name: 'Hitung' }).click()
  await page.getByText('Belum ada yang disimpan.').waitFor()
  await open('layar=kampanye')
  await page.getByText('Laporan sejak').waitFor()
  await page.getByText('Tidak ada posisi yang menunggu').waitFor()
  await open('cetak=7501')
  await page.locator('.sheet footer').waitFor()
  assert.ok((await page.locator('.sheet').innerText()).includes(edition))
}

test('from a claim to a plan on the screen: published, planned, seen by KPU, corrected, and an operator kept to its own', { timeout: 300_000 }, async (t) => {
  const data = scratch('planning')
  const rehearsal = await startRehearsal(['--hours', '1', '--stations', '60'], data)
  const browser = await launchBrowser()
  t.after(async () => {
    await browser.close()
    assert.notEqual(await rehearsal.stop(), 1)
  })
  const thrown: string[] = []
  const refused: string[] = []
  const logIn = async (organisation: string): Promise<Page> => {
    const { link } = JSON.parse(kawal(data, 'org', 'link', organisation, '--url', rehearsal.origin, '--json')) as { link: string }
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'id-ID' })).newPage()
    page.on('pageerror', (error) => thrown.push(error.message))
    page.on('response', (response) => void (response.status() >= 400 && refused.push(`${response.status()} ${response.url().replace(rehearsal.origin, '')}`)))
    await page.goto(link)
    return page
  }

  const edition = publish(data)
  const page = await logIn('kpu')
  await page.locator('table.stations tbody tr').first().waitFor()
  assert.ok((await page.locator('.planhead2').innerText()).includes(edition), 'the plan names its edition')
  await correctFirst(page, () => void (refused.length = 0))
  await seeScreens(page, rehearsal.origin, edition)
  await page.context().close()

  const noc = await logIn('indosat')
  await noc.getByRole('button', { name: 'Perencanaan' }).click()
  await noc.locator('[data-screen=atlas]').waitFor()
  await noc.getByText('Mode peta').waitFor({ state: 'attached' })
  assert.ok(!(await noc.locator('main').innerText()).includes('Telkomsel'), 'a competitor is not named')
  await noc.context().close()
  assert.deepEqual([thrown, refused], [[], []])
})
