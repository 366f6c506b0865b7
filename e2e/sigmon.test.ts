import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { startRehearsal } from './watch.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate(async () => {
    const { axe: tool } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }
    return (await tool.run()).violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`)
  })
}

const pictures = process.env['SIGMON_PICTURES']
const picture = async (page: Page, name: string): Promise<void> => {
  if (pictures !== undefined) await page.screenshot({ path: `${pictures}-${name}.png`, fullPage: true })
}

test('an officer enrols, checks, loses the network, reopens the app without one, and everything goes out once', { timeout: 180_000 }, async (t) => {
  const rehearsal = await startRehearsal(['--hours', '2', '--stations', '60', '--devices', '1'])
  const browser = await launchBrowser()
  t.after(async () => {
    await browser.close()
    await rehearsal.stop()
  })
  const context = await browser.newContext({ viewport: { width: 360, height: 640 }, locale: 'id-ID' })
  const page = await context.newPage()
  const thrown: string[] = []
  page.on('pageerror', (error) => thrown.push(error.message))
  const count = (state: string): Locator => page.locator(`[data-count=${state}]`).first()
  const whole = async (name: string): Promise<void> => {
    await picture(page, name)
    assert.deepEqual(await violations(page), [], name)
  }

  await page.goto(rehearsal.sigmon)
  await page.locator('#letter-hint').getByText('Kode ini utuh').waitFor()
  assert.doesNotMatch(page.url(), /kode=/)
  await whole('enrol')
  await page.getByRole('button', { name: 'Daftar', exact: true }).click()
  await page.getByRole('button', { name: 'Telkomsel' }).click()
  await page.getByRole('button', { name: 'Periksa jaringan' }).click()
  await page.locator('.verdict b').getByText('KIRIM').waitFor()
  await count('sent').getByText('1', { exact: true }).waitFor()
  await page.getByText('Sementara', { exact: true }).waitFor({ state: 'detached' })
  await whole('check-id')

  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Periksa jaringan' }).click()
  await page.locator('.verdict b').getByText('PINDAH').waitFor({ timeout: 30_000 })
  await count('waiting').getByText('1', { exact: true }).waitFor()
  await page.reload()
  await count('waiting').getByText('1', { exact: true }).waitFor()
  await whole('offline')
  // Screens that were never opened before come from the phone too.
  for (const [tab, heading] of [['Sinyal', 'Cari sinyal'], ['Lainnya', 'Lainnya'], ['Tugas', 'Tugas']] as const) {
    await page.getByRole('navigation').getByRole('link', { name: tab }).click()
    await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor()
    await whole(`offline-${tab}`)
  }

  await context.setOffline(false)
  // By itself it goes within two minutes, so that a whole town does not come at one instant: who waits presses.
  await page.getByRole('button', { name: 'Kirim sekarang' }).click()
  await count('sent').getByText('2', { exact: true }).waitFor({ timeout: 60_000 })
  assert.equal(await count('waiting').innerText(), '0')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('button', { name: 'Start duty' }).click()
  await page.getByText('On duty since').waitFor()
  await whole('duty-en')
  // The first report comes somewhere in the first interval; an app that is opened again reports at once.
  await page.reload()
  await page.getByText('On duty since').waitFor()
  await count('sent').getByText('3', { exact: true }).waitFor({ timeout: 30_000 })
  await page.getByRole('button', { name: 'End duty' }).click()
  await page.getByText('Not on duty').waitFor()
  await page.getByRole('navigation').getByRole('link', { name: 'Check' }).click()
  await page.getByRole('button', { name: 'Check the network' }).waitFor()
  await count('waiting').getByText('0', { exact: true }).waitFor({ timeout: 30_000 })
  await whole('check-en')
  assert.equal(await count('refused').innerText(), '0')
  // The letter's link once more: its secret does not stay in the address of a phone that is enrolled either.
  await page.goto(rehearsal.sigmon)
  await page.getByRole('button', { name: 'Check the network' }).waitFor()
  await page.waitForFunction(() => !location.href.includes('kode='))
  assert.deepEqual(thrown, [])
})

test('it installs: Chromium finds nothing missing in the manifest, and each icon is of its size', { timeout: 60_000 }, async (t) => {
  const rehearsal = await startRehearsal(['--hours', '1', '--stations', '20', '--devices', '1'])
  const browser = await launchBrowser()
  t.after(async () => {
    await browser.close()
    await rehearsal.stop()
  })
  const page = await browser.newPage()
  await page.goto(rehearsal.sigmon)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  const tools = await page.context().newCDPSession(page)
  const { errors, data } = await tools.send('Page.getAppManifest')
  assert.deepEqual(errors, [])
  const { icons } = JSON.parse(data ?? '{}') as { icons: { src: string; sizes: string; type: string }[] }
  for (const { src, sizes } of icons.filter(({ type }) => type === 'image/png')) {
    const size = await page.evaluate(async (url) => {
      const { width, height } = await createImageBitmap(await (await fetch(url)).blob())
      return `${width}x${height}`
    }, src)
    assert.equal(size, sizes, src)
  }
  assert.deepEqual((await tools.send('Page.getInstallabilityErrors')).installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'), [])
})
