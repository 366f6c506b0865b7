import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { leafHash } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { formatProof } from '@kawal/core/ledger/proof.ts'
import { cosignText, signText } from '@kawal/core/ledger/signature.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { commandsIn } from '@kawal/testkit/command.ts'
import { noteKey, sha256 } from '@kawal/testkit/ed25519.ts'

const { folder, kawal } = commandsIn('witness')
const file = (name: string, text: string | Uint8Array): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const log = noteKey('kawal.example/ledger')
const [bawaslu, kampus] = [noteKey('saksi.bawaslu.example/kawal', 'cosignature'), noteKey('saksi.kampus.example/kawal', 'cosignature')]
const line = (name: string, { key }: typeof log, url = ''): string => `witness ${name} ${formatVerifierKey(key)} ${url}\n`

test('what is asked wrongly of a witness, or of a policy, is answered with the line and the way out, before anything starts', async () => {
  const logs = file('logs', `${formatVerifierKey(log.key)}\n`)
  for (const [code, said, ...args] of [
    [2, /--logs FILE, with the key of each/, 'witness', '--name', 'saksi.example'],
    [3, /line 2 .* has a key that was mistyped/, 'witness', '--name', 'saksi.example', '--logs', file('mistyped', `# one\n${formatVerifierKey(log.key).replace('ledger', 'ledgre')}\n`)],
    [2, /needs a name for its key, for ever/, 'witness', '--logs', logs, '--key-folder', join(folder, 'new')],
    [6, /no name of a witness/, 'witness', '--logs', logs, '--key-folder', join(folder, 'new'), '--name', 'two words'],
    [3, /\(kampus\) are no quorum/, 'serve', '--witness-policy', file('addresses', `${line('bawaslu', bawaslu)}${line('kampus', kampus, 'https://saksi.kampus.example')}quorum bawaslu\n`)],
  ] as const) {
    const ended = await kawal(...args)
    assert.deepEqual([ended.code, ended.out], [code, ''], `${args.join(' ')}: ${ended.err}`)
    assert.match(ended.err, said)
  }
  const help = await kawal('witness', '--help')
  assert.match(help.out, /--key-folder[\s\S]+--name[\s\S]+--logs[\s\S]+witness NAME saksi\.bawaslu\.example\/kawal\+ID\+KEY/)
})

test('a receipt is verified by a policy: who saw it when is said, and too few are found', async () => {
  const record = Buffer.from('a signed record')
  const entry = writeEntry({ kind: 'recap', envelope: record })
  const text = formatCheckpoint({ origin: log.key.name, size: 1, root: leafHash(entry, sha256), extensions: [] })
  const signatures = [await signText(text, log.key, log.signBy), await cosignText(text, bawaslu.key, 1_865_000_000, bawaslu.signBy)]
  const receipt = file('receipt', formatProof({ index: 0, hashes: [], extra: null, checkpoint: formatNote({ text, signatures }) }))
  const both = `log ${formatVerifierKey(log.key)}\n${line('bawaslu', bawaslu)}${line('kampus', kampus)}`
  const verify = (policy: string): ReturnType<typeof kawal> => kawal('verify', 'receipt', receipt, file('record', record), '--policy', policy)
  const seen = await verify(file('any', `${both}group one any bawaslu kampus\nquorum one\n`))
  assert.equal(seen.code, 0, seen.err)
  assert.match(seen.out, /is entry 0 of the log, which had 1 when it signed\.\nbawaslu saw it at 2029-02-05T15:33:20\.000Z\.\n$/)
  const few = await verify(file('all', `${both}group two all bawaslu kampus\nquorum two\n`))
  assert.equal(few.code, 4)
  assert.match(few.err, /witnesses_few/)
  const torn = await verify(file('torn', both))
  assert.equal(torn.code, 3)
  assert.match(torn.err, /line 4 has no quorum line above it/)
})
