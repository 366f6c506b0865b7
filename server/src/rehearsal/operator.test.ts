import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { nextMove, planCrew, type CrewTicket } from './crew.ts'

const program = join(import.meta.dirname, 'operator.ts')
const minute_ms = 60_000

test('the process listens, asks with its key, answers a tick, and ends with its parent', async (t) => {
  const asked: string[] = []
  const api = createServer((request, response) => {
    asked.push(`${request.headers.authorization} ${request.url?.split('?')[0]}`)
    response.setHeader('x-total-count', '0').end('[]')
  }).listen(0, '127.0.0.1')
  t.after(() => api.close())
  await once(api, 'listening')
  const address = api.address()
  assert.ok(address !== null && typeof address === 'object')
  for (const leave of ['stdin', 'SIGTERM'] as const) {
    const child: ChildProcessByStdio<Writable, Readable, null> = spawn(process.execPath, [program, '--api', `http://127.0.0.1:${address.port}`, '--organisation', 'telkomsel', '--seed', '1'], {
      stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, KAWAL_API_KEY: 'kawal-key-test' },
    })
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const { port } = JSON.parse(line) as { port: number }
    const answer = await fetch(`http://127.0.0.1:${port}/tick`, { method: 'POST', body: JSON.stringify({ now: 0, faults: [] }), headers: { connection: 'close' } })
    assert.deepEqual(await answer.json(), { repairs: [], actions: [] })
    const ended: Promise<unknown[]> = once(child, 'exit')
    if (leave === 'stdin') child.stdin.end()
    else child.kill('SIGTERM')
    assert.equal((await ended)[0], 0, leave)
  }
  assert.deepEqual(new Set(asked), new Set(['Bearer kawal-key-test /tmf-api/troubleTicket/v5/troubleTicket']))
})

test('without a key it says what is missing and exits 2', async () => {
  const child = spawn(process.execPath, [program, '--api', 'http://127.0.0.1:9', '--organisation', 'telkomsel'], { stdio: ['pipe', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] } })
  let said = ''
  child.stderr.on('data', (text: Buffer) => { said += text.toString() })
  assert.equal((await once(child, 'exit'))[0], 2)
  assert.match(said, /KAWAL_API_KEY/)
})

test('delays keep to their ranges, and about one crew in five claims before it repairs', () => {
  const plans = Array.from({ length: 2_000 }, (_, index) => planCrew(3, 'telkomsel', ticket('submitted', 'operator', String(index)), 0))
  const spans = plans.map((plan) => [plan.acknowledgeAt, plan.startAt - plan.acknowledgeAt, plan.repairAt - plan.startAt])
  for (const [index, [low, high]] of [[1, 3], [1, 2], [8, 20]].entries())
    assert.ok(spans.every((span) => (span[index] ?? 0) >= (low ?? 0) * minute_ms && (span[index] ?? 0) <= (high ?? 0) * minute_ms), `span ${index}`)
  const share = plans.filter((plan) => plan.prematureAt !== null).length / plans.length
  assert.ok(share > 0.17 && share < 0.23, String(share))
})

test('a power cut is waited for, and somebody else\'s fault is not repaired', () => {
  const power = ticket('inProgress', 'power')
  const plan = planCrew(1, 'telkomsel', power, 0)
  const cut = [{ stations: power.stations, operator: null, active: true }]
  assert.deepEqual(nextMove(plan, 'telkomsel', power, cut, plan.startAt), { status: 'pending', reason: 'power', repairs: [] })
  assert.equal(nextMove(plan, 'telkomsel', { ...power, lifecycle: 'pending' }, cut, plan.repairAt - 1), null)
  assert.equal(nextMove(plan, 'telkomsel', { ...power, lifecycle: 'pending' }, [], plan.repairAt - 1)?.status, 'inProgress')
  const rival = [{ stations: power.stations, operator: 'indosat', active: true }]
  assert.deepEqual(nextMove(plan, 'telkomsel', power, rival, plan.repairAt)?.repairs, [])
})

function ticket(lifecycle: string, cause: string, station = '5301012001001'): CrewTicket {
  return { id: 'TT-1', lifecycle, cause, stations: [station], reopened: 0 }
}
