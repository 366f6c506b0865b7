import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { attachEmbedded, startEmbedded, StartFailure } from './embedded.ts'

function scratch(): string {
  return mkdtempSync(join(tmpdir(), 'kawal-embedded-'))
}

test('a second start on a folder in use is refused with the process that uses it', async (t) => {
  const folder = scratch()
  const first = await startEmbedded(folder, ['shared_buffers=32MB'])
  t.after(async () => {
    await first.stop()
    rmSync(folder, { recursive: true })
  })
  await assert.rejects(startEmbedded(folder), (error) => error instanceof StartFailure && error.message.includes(String(process.pid)))
})

test('a database whose owner was killed is ended and taken over', async (t) => {
  const folder = scratch()
  const orphan = await startEmbedded(folder, ['shared_buffers=32MB'])
  writeFileSync(join(folder, 'owner-process'), '999999999')
  const next = await startEmbedded(folder, ['shared_buffers=32MB'])
  t.after(async () => {
    await next.stop()
    await orphan.stop()
    rmSync(folder, { recursive: true })
  })
  assert.notEqual(next.ownerUrl, orphan.ownerUrl)
})

test('a short command joins the database that runs, and none where none runs', async (t) => {
  const folder = scratch()
  assert.equal(attachEmbedded(folder), null)
  const running = await startEmbedded(folder, ['shared_buffers=32MB'])
  t.after(() => rmSync(folder, { recursive: true }))
  const joined = attachEmbedded(folder)
  assert.equal(joined?.ownerUrl, running.ownerUrl)
  await joined.stop()
  assert.notEqual(attachEmbedded(folder), null, 'who joined does not stop it')
  await running.stop()
  assert.equal(attachEmbedded(folder), null)
})

test('a database whose password file is gone is left alone; a start that was cut off leaves none', async (t) => {
  const folder = scratch()
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'database.making'))
  writeFileSync(join(folder, 'database.making', 'PG_VERSION'), '18\n')
  await (await startEmbedded(folder, ['shared_buffers=32MB'])).stop()
  rmSync(join(folder, 'owner-password'))
  await assert.rejects(startEmbedded(folder), /owner-password is not there/)
  assert.ok(existsSync(join(folder, 'database', 'PG_VERSION')))
})

test('a database that dies under the program is noticed', async (t) => {
  const folder = scratch()
  const running = await startEmbedded(folder, ['shared_buffers=32MB'])
  t.after(() => rmSync(folder, { recursive: true }))
  process.kill(Number(readFileSync(join(folder, 'database', 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGKILL')
  await running.died
})

test('a folder of another PostgreSQL version is left alone', async (t) => {
  const folder = scratch()
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'database'))
  writeFileSync(join(folder, 'database', 'PG_VERSION'), '15\n')
  await assert.rejects(startEmbedded(folder), /made by PostgreSQL 15/)
})

test('a commit is on disk when it is answered: nothing of it is relaxed', async (t) => {
  const folder = scratch()
  const server = await startEmbedded(folder, ['shared_buffers=32MB'])
  const client = new pg.Client({ connectionString: server.ownerUrl })
  await client.connect()
  t.after(async () => {
    await client.end()
    await server.stop()
    rmSync(folder, { recursive: true })
  })
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) assert.equal((await client.query<Record<string, string>>(`SHOW ${setting}`)).rows[0]?.[setting], 'on', setting)
})
