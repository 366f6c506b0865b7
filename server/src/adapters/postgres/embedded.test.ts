import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startEmbedded, StartFailure } from './embedded.ts'

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

test('a folder of another PostgreSQL version is left alone', async (t) => {
  const folder = scratch()
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'database'))
  writeFileSync(join(folder, 'database', 'PG_VERSION'), '15\n')
  await assert.rejects(startEmbedded(folder), /made by PostgreSQL 15/)
})
