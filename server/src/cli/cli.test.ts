import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { AuditRow } from '@kawal/contract/audit.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { freePort } from '../adapters/postgres/embedded.ts'

const program = join(import.meta.dirname, 'kawal.ts')
const folder = scratch('cli')
const data = join(folder, 'data')
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended { readonly code: number | null; readonly out: string; readonly err: string }
function start(args: readonly string[]): { ended: Promise<Ended>; ready: Promise<string>; stop(): void } {
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, LOG_LEVEL: 'error' } })
  let [out, err] = ['', '']
  const ready = new Promise<string>((resolve) => child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (out.includes('\n')) resolve(out)
  }))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  return { ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err }))), ready, stop: () => child.kill('SIGINT') }
}
const kawal = (...args: string[]): Promise<Ended> => start(args).ended
const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await kawal(...args, '--data', data, '--json')
  assert.equal(code, 0, err)
  return JSON.parse(out) as T
}

/** A sentence with a way out, and no stack. */
function said(ended: Ended, code: number, sentence: RegExp): void {
  assert.deepEqual([ended.code, ended.out], [code, ''], ended.err)
  assert.match(ended.err, sentence)
  assert.doesNotMatch(ended.err, /\n\s+at /)
}

test('what is asked wrongly is answered in a sentence, before anything starts', async () => {
  said(await kawal('nonsense'), 2, /unknown command/)
  said(await kawal('serve', '--host', '0.0.0.0'), 6, /loopback only/)
  said(await kawal('serve', '--port', 'many'), 2, /--port takes a number/)
  said(await kawal('serve', '--cert', 'x.pem'), 2, /both --cert and --key/)
  said(await kawal('import', 'register', '.', '--date', '2024-02-31'), 2, /no calendar date/)
})

test('a data folder of another PostgreSQL, and a folder that cannot be written, are said plainly', async () => {
  const old = join(folder, 'old')
  mkdirSync(join(old, 'database'), { recursive: true })
  writeFileSync(join(old, 'database', 'PG_VERSION'), '15\n')
  said(await kawal('serve', '--data', old), 5, /made by PostgreSQL 15.*another one with --data/)
  writeFileSync(join(folder, 'file'), '')
  said(await kawal('serve', '--data', join(folder, 'file', 'data')), 5, /cannot be made or written: .*--data/)
})

test('registers in, codes out, organisations in between, each also as JSON', async () => {
  const register = join(folder, 'register')
  mkdirSync(register)
  writeFileSync(join(register, 'regions.csv'), 'code,level,name,parent\n53,province,NUSA TENGGARA TIMUR,\n5301,regency,KUPANG,53\n530101,district,SEMAU,5301\n5301012001,village,UITIUHTUAN,530101\n')
  writeFileSync(join(register, 'villages.csv'), 'code,lat,lon,position,tps_regular\n5301012001,-10.2,123.4,inside,3\n5301012001,-10.2,123.4,inside,3\n')
  const imported = await json<{ stations: number; villages: number; rejects: number }>('import', 'register', register)
  assert.deepEqual([imported.stations, imported.villages, imported.rejects], [3, 1, 1])
  assert.equal((await json<{ changes: number }>('import', 'register', register)).changes, 0)
  assert.equal((await json<{ codes: { station: string; code: string }[] }>('export', 'codes')).codes.length, 3)
  assert.deepEqual((await json<{ added: boolean }>('org', 'add', 'maju-net', '--kind', 'isp', '--name', 'PT Maju Net')).added, true)
  assert.deepEqual((await json<{ added: boolean }>('org', 'add', 'dinas-boalemo', '--kind', 'helpdesk', '--area', '7501')).added, true)
  said(await kawal('org', 'add', 'dinas-x', '--kind', 'helpdesk', '--area', '750', '--data', data), 2, /2, 4, 6 or 10 digits/)
  said(await kawal('org', 'add', 'isp-x', '--kind', 'isp', '--area', '7501', '--data', data), 2, /of a helpdesk/)
  const given = await json<{ levels: object[] }>('org', 'level', 'maju-net', '--severity', 'down', '--restore', '20', '--repair', '180')
  assert.deepEqual(given.levels, [{ organisation: 'maju-net', severity: 'down', restoreMinutes: 20, repairMinutes: 180 }])
  assert.deepEqual((await json<{ levels: { organisation: string; restoreMinutes: number }[] }>('org', 'level')).levels.map((row) => `${row.organisation} ${row.restoreMinutes}`), ['kawal 30', 'kawal 60', 'maju-net 20'])
  for (const [more, sentence] of [[['--severity', 'bad', '--restore', '20', '--repair', '180'], /down or degraded/], [['--severity', 'down', '--restore', '4', '--repair', '180'], /from 5 to/], [['--severity', 'down', '--restore', '20', '--repair', '19'], /from 20 to/], [['--severity', 'down', '--restore', '20'], /--repair takes/]] as const) said(await kawal('org', 'level', 'maju-net', ...more, '--data', data), 2, sentence)
  const secret = join(folder, 'secret')
  writeFileSync(secret, 'rahasia\n')
  const called = ['org', 'peer', 'maju-net', '--url', 'https://noc.maju.example/tmf-api/troubleTicket/v4/', '--version', '4', '--header', 'X-API-Key', '--secret-file', secret]
  const { peers: [peer] } = await json<{ peers: object[] }>(...called)
  assert.deepEqual(peer, { organisation: 'maju-net', url: 'https://noc.maju.example/tmf-api/troubleTicket/v4', version: 4, proof: 'header', events: 'polled', succeededAt: null, failingSince: null, lastError: null, tickets: 0, waiting: 0, refused: 0 })
  said(await kawal('org', 'peer', 'komdigi', '--url', 'https://x.example', '--data', data), 3, /a ministry has none/)
  said(await kawal(...called.slice(0, -2), '--data', data), 2, /--secret-file/)
  said(await kawal('org', 'peer', 'maju-net', '--url', 'http://127.0.0.1:9', '--try', '--callback-hosts', '127.0.0.1', '--data', data), 5, /nobody listens there/)
  assert.deepEqual((await json<{ peers: object[] }>('org', 'peer', 'maju-net', '--remove')).peers, [])
  const { organisations } = await json<{ organisations: { id: string; name: string }[] }>('org', 'list')
  assert.equal(organisations.find((row) => row.id === 'maju-net')?.name, 'PT Maju Net')
  said(await kawal('org', 'link', 'nobody', '--data', data), 3, /no organisation nobody/)
  said(await kawal('import', 'register', join(folder, 'nowhere'), '--data', data), 3, /not a folder that can be read/)
})

test('a port that is taken, a folder that serves, and commands beside the server', async () => {
  const port = await freePort()
  const taken = createServer().listen(port, '127.0.0.1')
  said(await kawal('serve', '--port', String(port), '--data', data), 5, new RegExp(`Port ${port} is taken.*--port`))
  await new Promise((resolve) => taken.close(resolve))
  const server = start(['serve', '--port', String(port), '--data', data, '--json'])
  assert.deepEqual(JSON.parse(await server.ready), { url: `http://127.0.0.1:${port}`, stations: 3 })
  said(await kawal('serve', '--port', String(await freePort()), '--data', data), 5, /Another Kawal Sinyal.*--data/)
  const { link } = await json<{ link: string }>('org', 'link', 'komdigi', '--url', `http://127.0.0.1:${port}`)
  const token = new URL(link).searchParams.get('masuk')
  const entered = await fetch(`http://127.0.0.1:${port}/v1/session`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ token }) })
  assert.equal(entered.status, 200)
  server.stop()
  const { code, err } = await server.ended
  assert.deepEqual([code, err], [0, ''])
  const audit = (await kawal('export', 'audit', '--json', '--data', data)).out.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditRow).filter(({ path }) => /^(serve|stop)/.test(path))
  assert.deepEqual(audit.map(({ path, method, status, facts }) => [path, method, status, facts?.['province']]), [['stop', 'CLI', 0, undefined], ['serve', 'CLI', 0, null], ['serve', 'CLI', 0, null]])
  assert.ok(audit.every(({ entry, outcomeEntry }) => entry !== null && outcomeEntry !== null), 'the last act too is in the log')
  assert.deepEqual([audit[1]?.facts?.['changed'], audit[2]?.facts?.['changed']], [[], null])
  said(await kawal('rehearse', '--province', '53', '--data', data), 6, /used by kawal serve.*--data/)
})

test('Ctrl-C that comes twice, as npm passes it on, ends in order; the database ends too, also of a short command', async () => {
  const place = join(folder, 'twice')
  const server = start(['serve', '--data', place, '--port', String(await freePort())])
  await server.ready
  server.stop()
  server.stop()
  const { code, err } = await server.ended
  assert.deepEqual([code, err, existsSync(join(place, 'database', 'postmaster.pid'))], [0, '', false])
  const short = start(['export', 'stations', '--data', place])
  while (!existsSync(join(place, 'database', 'postmaster.pid'))) await new Promise((resolve) => setTimeout(resolve, 10))
  short.stop()
  assert.ok([130, 0].includes((await short.ended).code ?? -1))
  for (let tries = 0; tries < 200 && existsSync(join(place, 'database', 'postmaster.pid')); tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(existsSync(join(place, 'database', 'postmaster.pid')), false)
})

test('a rehearsal stops at Ctrl-C, resumes at the next start, and its folder does not serve', async () => {
  const place = join(folder, 'gladi')
  for (const round of [1, 2]) {
    const port = String(await freePort())
    const rehearsal = start(['rehearse', '--show', '--data', place, '--port', port, '--stations', '30', '--devices', '1'])
    await rehearsal.ready
    rehearsal.stop()
    const { code, err } = await rehearsal.ended
    assert.equal(code, 0, `start ${round}: ${err}`)
  }
  said(await kawal('serve', '--data', place, '--port', String(await freePort())), 6, /holds a rehearsal.*--data/)
})
