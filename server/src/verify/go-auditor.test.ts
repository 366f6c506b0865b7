import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { buildGoAuditor, goMissing } from '@kawal/testkit/go-auditor.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { scratch } from '@kawal/testkit/scratch.ts'
import { receiptOf, writeFiles, writtenLog, type Voices } from '@kawal/testkit/written-log.ts'

const missing = goMissing()
const folder = scratch('go')
after(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string): string => join(folder, name)

test('the auditor in Go, as its document calls it: a folder, an address, a receipt; exit code 4 with what is wrong', { skip: missing === null ? false : `SKIPPED: ${missing}` }, async () => {
  const auditor = buildGoAuditor(folder)
  const run = (...args: readonly string[]): Promise<{ code: number; text: string }> => new Promise((resolve) => execFile(auditor, args, (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, text: out + err })))
  const voices: Voices = { log: noteKey('kawal.example/ledger'), witnesses: ['saksi.example/satu', 'saksi.example/dua'].map((name) => noteKey(name, 'cosignature')), at_s: 1_865_000_000 }
  const record = await (await recapPhone('1101012001001')).record()
  const entries = Array.from({ length: 600 }, (_, nth) => (nth === 299 ? writeEntry({ kind: 'recap', envelope: record }) : writeEntry({ kind: 'revocation', device: new Uint8Array(16), at: nth, reason: 'Hilang' })))
  const [before, now] = await writtenLog(entries, [400, 600], voices)
  assert.ok(before !== undefined && now !== undefined)
  writeFiles(at('log'), now.files)
  for (const [name, content] of [['seen', before.note], ['receipt', receiptOf(now, 299)], ['record', record]] as const) writeFileSync(at(name), content)
  const [satu, dua] = voices.witnesses.map(({ key }) => formatVerifierKey(key)) as [string, string]
  const key = ['-key', formatVerifierKey(voices.log.key)]
  const server = createServer((request, response) => {
    const bytes = now.files.get((request.url ?? '').slice('/ledger/'.length))
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  for (const [args, code, text] of [
    [['log', ...key, at('log')], 0, /^600 entries, every tile, root /], [['log', ...key, '-witnesses', `${satu},${dua}`, '-older', at('seen'), `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger/`], 0, /begins with the 400 that were seen/],
    [['receipt', ...key, '-witnesses', satu, at('receipt'), at('record')], 0, /entry 299 of 600/], [['receipt', ...key, '-witnesses', `${satu},${dua}`, '-min', '3', at('receipt'), at('record')], 4, /2 witnesses did and not 3/],
    [['receipt', ...key, at('receipt'), at('seen')], 4, /is not entry 299/], [['log', '-key', satu, at('log')], 4, /unknown verifier algorithm/], [['log', at('log')], 4, /auditor log {5}-key KEY/], [['log', ...key, at('nowhere')], 4, /no such file/],
  ] as const) {
    const ran = await run(...args)
    assert.deepEqual([ran.code, text.test(ran.text)], [code, true], ran.text)
  }
  server.close()
  appendFileSync(at('log/tile/1/000.p/2'), 'x')
  assert.match((await run('log', ...key, at('log'))).text, /^tile\/1\/000\.p\/2 is not what the entries make/)
})
