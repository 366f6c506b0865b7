import assert from 'node:assert/strict'
import { test } from 'node:test'
import { launchBrowser } from './browser.ts'
import { startRehearsal } from './watch.ts'

const three_minutes_ms = 180_000

test('untouched, a disturbance is found, ticketed, repaired, verified and closed within 3 minutes, on the screen', { timeout: 300_000 }, async (t) => {
  const rehearsal = await startRehearsal(['--hours', '2', '--stations', '600'])
  const browser = await launchBrowser()
  t.after(async () => {
    await browser.close()
    assert.notEqual(await rehearsal.stop(), 1)
  })
  const began = Date.now()
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'id-ID' })
  const thrown: string[] = []
  page.on('pageerror', (error) => thrown.push(error.message))
  await page.goto(rehearsal.console)
  await page.getByText('GLADI').first().waitFor()
  const left = (): number => three_minutes_ms - (Date.now() - began)

  await page.locator('#queue .card.confirmed').first().waitFor({ timeout: left() })
  await page.locator('#queue .card.confirmed').first().click()
  for (const turn of ['diterima', 'dinyatakan pulih', 'terukur pulih', 'ditutup oleh pengukuran'])
    await page.locator('.timeline').getByText(turn).first().waitFor({ timeout: left() })

  assert.deepEqual(thrown, [])
  // Measured well and said to be resolved come in either order; nothing is closed before both.
  const told = rehearsal.told()
  const closed = /ticket +(\S+) .*: closed/.exec(told)?.[1] ?? ''
  const turn = (pattern: RegExp): number => {
    const at = told.search(pattern)
    assert.notEqual(at, -1, `${pattern} is missing in:\n${told}`)
    return at
  }
  const turns = ['submitted', 'acknowledged', 'resolved', 'closed'].map((status) => turn(new RegExp(`${closed} .*: ${status}`)))
  assert.deepEqual(turns, [...turns].sort((a, b) => a - b))
  assert.ok(turn(/  found  /) < turn(/  recovered  /) && turn(/  recovered  /) < (turns.at(-1) ?? 0))
  const [origin, size] = (await (await fetch(`${new URL(rehearsal.console).origin}/ledger/checkpoint`)).text()).split('\n')
  assert.ok(origin === 'gladi.kawal.example/ledger' && Number(size) > 3, 'records come in meanwhile')
  process.stdout.write(`# found to closed on the screen ${Math.round((Date.now() - began) / 1000)} s after the addresses were printed\n`)
})
