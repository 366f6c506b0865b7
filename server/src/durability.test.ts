import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { envelope_type } from '@kawal/contract/handing-in.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { appendLeaf, emptyFrontier, leafHash, rootOf } from '@kawal/core/ledger/merkle.ts'
import { logAlone } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { copyData } from '@kawal/testkit/postgres.ts'
import { recapPhone, type RecapPhone } from '@kawal/testkit/recap-phone.ts'
import { storedReports } from '@kawal/testkit/reports.ts'
import { connect, migrate, system, type Database } from './adapters/postgres/database.ts'
import { freePort, startEmbedded } from './adapters/postgres/embedded.ts'
import { openDatabase } from './cli/database.ts'
import { sha256, verifyEd25519 } from './ledger/cryptography.ts'
import { openSigner, signerFolder } from './ledger/signer.ts'
import { deploymentSecret, deviceToken, enrolKey, type Device } from './measurement/enrolment.ts'
import { loadSynthetic } from './register/synthetic.ts'

const kills = 50
const devices_count = 24
const recap_phones = 12
const province = '75'

interface Phone {
  readonly device: Device
  readonly token: string
  sequence: number
  readonly acknowledged: Set<number>
  readonly sent: Set<number>
  readonly recaps: RecapPhone
  /** Records by hash, with the receipt of each that was acknowledged. */
  readonly records: Map<string, { readonly bytes: Buffer; receipt: string | null }>
}

function sample(sequence: number): object {
  return {
    sequence, eventAt: new Date(1_700_000_000_000 + sequence * 1000).toISOString(), sim: '51010', access: 'cellular', accessPoint: null, technology: 'lte', radio: null, rttMs: [50], timeouts: 0,
    downKbps: null, upKbps: null, reach: { internet: 'ok', election: 'ok', platform: 'ok' }, charging: null, nextDueAt: null,
  }
}

/** What is wrong between what was acknowledged and what the database holds. */
function audit(phones: readonly Pick<Phone, 'device' | 'acknowledged'>[], rows: readonly { device: number; sequence: number }[]): { lost: number; doubled: number } {
  const kept = rows.map((row) => `${row.device}.${row.sequence}`)
  const set = new Set(kept)
  const acknowledged = phones.flatMap((phone) => [...phone.acknowledged].map((sequence) => `${phone.device.key}.${sequence}`))
  return { lost: acknowledged.filter((each) => !set.has(each)).length, doubled: kept.length - set.size }
}

/** @param planted SQL of a bug to plant, as the owner */
async function prepare(folder: string, planted: string | null): Promise<Phone[]> {
  copyData(folder)
  const server = await openDatabase(folder)
  await migrate(server.ownerUrl, server.appPassword)
  const owner = new pg.Pool({ connectionString: server.ownerUrl, max: 2 })
  await loadSynthetic(owner, province, 1)
  if (planted !== null) await owner.query(planted)
  const { rows } = await owner.query<{ code: string }>(`SELECT code FROM station_now ORDER BY code LIMIT ${devices_count}`)
  await owner.end()
  const database = connect(server.ownerUrl, server.appPassword)
  const secret = await deploymentSecret(database)
  const phones = await Promise.all(rows.map(async ({ code }): Promise<Phone> => {
    const recaps = await recapPhone(code)
    const enrolled = await enrolKey(database, code, recaps.publicKey, Date.now())
    assert.ok(enrolled)
    const { device } = enrolled
    return { device, token: deviceToken(secret, device), sequence: 0, acknowledged: new Set(), sent: new Set(), recaps, records: new Map() }
  }))
  await database.end()
  await server.stop()
  return phones
}

async function serve(folder: string, port: number): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cli/kawal.ts'), 'serve', '--data', folder, '--port', String(port), '--province', province, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LOG_LEVEL: 'error' },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    createInterface(child.stdout).once('line', () => resolve())
    void ended.then(() => reject(new Error('the server ended before it was ready')))
  })
  return {
    async kill() {
      // A machine fails whole: the database's process dies with the server's.
      const postmaster = Number(readFileSync(join(folder, 'database', 'postmaster.pid'), 'utf8').split('\n')[0])
      child.kill('SIGKILL')
      process.kill(postmaster, 'SIGKILL')
      await ended
    },
  }
}

/** Each phone sends as fast as it is answered; what was not acknowledged is sent again after the restart. */
async function load(phones: readonly Phone[], url: string, running: () => boolean): Promise<void> {
  await Promise.all(phones.map(async (phone) => {
    const again = [...phone.sent].filter((sequence) => !phone.acknowledged.has(sequence)).slice(0, 400)
    for (let batch = again; running(); batch = [++phone.sequence, ++phone.sequence]) {
      if (batch.length === 0) continue
      for (const sequence of batch) phone.sent.add(sequence)
      try {
        const answer = await fetch(`${url}/v1/reports`, {
          method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${phone.token}` },
          body: JSON.stringify({ station: phone.device.station, samples: batch.map(sample) }),
        })
        assert.deepEqual(answer.status === 202 ? ((await answer.json()) as { quarantined: unknown[] }).quarantined : [], [])
        if (answer.status === 202) for (const sequence of batch) phone.acknowledged.add(sequence)
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        return // the server is gone: the answer never came
      }
    }
  }))
}

/** Records, the same way: what has no receipt is sent again, and the same record always has the same receipt. */
async function loadRecaps(phones: readonly Phone[], url: string, running: () => boolean): Promise<void> {
  await Promise.all(phones.map(async ({ token, recaps, records }) => {
    const again = [...records.values()]
    while (running()) {
      const next = again.shift()
      const bytes = next?.bytes ?? await recaps.record()
      const hash = createHash('sha256').update(bytes).digest('hex')
      const record = records.get(hash) ?? { bytes, receipt: null }
      records.set(hash, record)
      try {
        const answer = await fetch(`${url}/v1/recaps`, { method: 'POST', headers: { 'content-type': envelope_type, authorization: `Bearer ${token}` }, body: bytes })
        const text = await answer.text()
        assert.ok(answer.ok, text)
        assert.equal(record.receipt ?? text, text, 'the receipt is another')
        record.receipt = text
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        return
      }
    }
  }))
}

/** Each receipt verifies, the entry that it names is the record's and in the log once, and the tree that it was given for is a beginning of the tree that there is. */
async function auditRecaps(folder: string, database: Database, phones: readonly Phone[]): Promise<{ receipts: number; lost: number; doubled: number; forked: number }> {
  const { rows } = await database.transaction(system, (client) => client.query<{ index: number; name: Buffer; bytes: Buffer }>('SELECT index, name, bytes FROM ledger_entry ORDER BY index'))
  const signer = await openSigner(signerFolder(join(folder, 'ledger')), '', false)
  const roots = [Buffer.from(sha256(new Uint8Array())).toString('hex')]
  let frontier = emptyFrontier
  for (const { bytes } of rows) {
    frontier = appendLeaf(frontier, leafHash(bytes, sha256), sha256)
    roots.push(Buffer.from(rootOf(frontier, sha256)).toString('hex'))
  }
  const counts = { receipts: 0, lost: 0, doubled: rows.length - new Set(rows.map(({ name }) => name.toString('hex'))).size, forked: 0 }
  for (const [hash, { bytes, receipt }] of phones.flatMap(({ records }) => [...records])) {
    if (receipt === null) continue
    counts.receipts++
    const read = await verifyReceipt(writeEntry({ kind: 'recap', envelope: bytes }), receipt, logAlone(signer.key), { sha256, verify: verifyEd25519 })
    if (!read.ok || rows[read.value.index]?.name.toString('hex') !== hash) counts.lost++
    const root = receipt.split('\n\n')[1]?.split('\n')[2]
    if (read.ok && roots[read.value.size] !== Buffer.from(root ?? '', 'base64').toString('hex')) counts.forked++
  }
  return counts
}

/** Kills the whole machine at random moments under load, then holds what is kept against what was acknowledged. */
async function campaign(t: TestContext, rounds: number, planted: string | null): Promise<{ lost: number; doubled: number; acknowledged: number; recaps: Awaited<ReturnType<typeof auditRecaps>> }> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-kill-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const phones = await prepare(folder, planted)
  const random = seeded(11)
  for (let round = 0; round < rounds; round++) {
    const port = await freePort()
    const server = await serve(folder, port)
    let running = true
    const url = `http://127.0.0.1:${port}`
    const loading = Promise.all([load(phones, url, () => running), loadRecaps(phones.slice(0, planted === null ? recap_phones : 0), url, () => running)])
    await pause(60 + 340 * random()) // the moment of the kill is what is drawn
    await server.kill()
    running = false
    await loading
  }
  const server = await startEmbedded(folder)
  await migrate(server.ownerUrl, 'reader')
  const database = connect(server.ownerUrl, 'reader')
  const rows = await storedReports(database)
  const recaps = await auditRecaps(folder, database, phones)
  await database.end()
  await server.stop()
  const acknowledged = phones.reduce((sum, phone) => sum + phone.acknowledged.size, 0)
  t.diagnostic(`${rounds} kills, ${acknowledged} reports acknowledged, ${rows.length} kept; ${recaps.receipts} receipts of recaps`)
  return { ...audit(phones, rows), acknowledged, recaps }
}

test('50 times kill -9 under load: no acknowledged report or recap is lost, none is doubled, and the ledger is one', { timeout: 300_000 }, async (t) => {
  const { lost, doubled, acknowledged, recaps } = await campaign(t, kills, null)
  assert.ok(acknowledged > 1000, `the load was real: ${acknowledged}`)
  assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 })
  assert.ok(recaps.receipts > 20, `recaps were sent too: ${recaps.receipts}`)
  assert.deepEqual({ ...recaps, receipts: 0 }, { receipts: 0, lost: 0, doubled: 0, forked: 0 })
})

test('a planted bug is caught: a commit that is answered before it is on disk', { timeout: 120_000 }, async (t) => {
  const { lost } = await campaign(t, 4, 'ALTER ROLE kawal_app SET synchronous_commit = off')
  assert.ok(lost > 0, 'the kills would not have seen it')
})

test('the audit counts what is lost and what is doubled', () => {
  const phone = { device: { id: 'x', key: 1, station: '7501011001001' }, acknowledged: new Set([1, 2]) }
  assert.deepEqual(audit([phone], [{ device: 1, sequence: 1 }]), { lost: 1, doubled: 0 })
  assert.deepEqual(audit([phone], [{ device: 1, sequence: 1 }, { device: 1, sequence: 2 }, { device: 1, sequence: 2 }]), { lost: 0, doubled: 1 })
})
