import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
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

test('an officer enrols, checks, loses the network, reopens the app without one, and everything goes out once', { timeout: 120_000 }, async (t) => {
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
  await page.goto(rehearsal.sigmon)
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Daftar', exact: true }).click()
  await page.getByRole('button', { name: 'Telkomsel' }).click()
  await page.getByRole('button', { name: 'Periksa jaringan' }).click()
  await page.locator('.verdict b').getByText('KIRIM').waitFor()
  await page.locator('[data-count=sent]').getByText('1', { exact: true }).waitFor()
  assert.deepEqual(await violations(page), [])
  if (process.env['SIGMON_PICTURES'] !== undefined) await page.screenshot({ path: `${process.env['SIGMON_PICTURES']}-id.png` })

  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Periksa jaringan' }).click()
  await page.locator('.verdict b').getByText('PINDAH').waitFor({ timeout: 30_000 })
  await page.locator('[data-count=waiting]').getByText('1', { exact: true }).waitFor()
  await page.reload()
  await page.locator('[data-count=waiting]').getByText('1', { exact: true }).waitFor()
  if (process.env['SIGMON_PICTURES'] !== undefined) await page.screenshot({ path: `${process.env['SIGMON_PICTURES']}-offline.png` })

  await context.setOffline(false)
  await page.locator('[data-count=sent]').getByText('2', { exact: true }).waitFor({ timeout: 30_000 })
  assert.equal(await page.locator('[data-count=waiting]').innerText(), '0')
  await page.getByRole('button', { name: 'English' }).click()
  await page.getByRole('button', { name: 'Check the network' }).waitFor()
  assert.deepEqual(await violations(page), [])
  if (process.env['SIGMON_PICTURES'] !== undefined) await page.screenshot({ path: `${process.env['SIGMON_PICTURES']}-en.png` })
  assert.deepEqual(thrown, [])
})
