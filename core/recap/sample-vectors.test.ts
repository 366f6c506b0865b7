import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { hexOf } from './bytes.ts'
import { drawFrom, rosterHash, ticketText } from './draw.ts'
import { writeEntry, type Entry } from './entry.ts'
import { signFinding } from './finding.ts'
import { sha256, testKey } from '@kawal/testkit/recaps.ts'

const spec = readFileSync(join(import.meta.dirname, '../../spec/sample.md'), 'utf8')
const hash = (text: string): Uint8Array => sha256(Buffer.from(text))

/** The published block as names and values; a value goes on over indented lines. */
function published(): [string, string][] {
  const block = /^```vectors\n([\s\S]*?)^```/m.exec(spec)?.[1] ?? ''
  return block.replace(/\n {2}/g, ' ').split('\n').filter((line) => line !== '').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).replaceAll(' ', '')])
}

async function vectors(): Promise<[string, string][]> {
  const { raw, signer } = await testKey('ES256')
  const roster = Array.from({ length: 40 }, (_, at) => `7501012001${String(at + 1).padStart(3, '0')}`)
  const seed = '20237331128159211123'
  const strata = [{ area: '7501', draw: 4 }]
  const drawn = drawFrom(seed, roster, strata, sha256)
  const at = Date.UTC(2029, 1, 15, 3)
  const draw: Entry = { kind: 'draw', seed, occasion: 'Gorontalo', roster: rosterHash(roster, sha256), size: 1_024, root: hash('root'), contests: ['ppwp'], strata, organisation: 'bawaslu', by: 'Petugas', at }
  const finding = await signFinding({ draw: sha256(writeEntry(draw)), station: drawn[0]?.station ?? '', contest: 'ppwp', record: hash('record'), result: 'differs', readings: [[22, 128], [23, 71], [24, null]], remark: '', at }, signer)
  return [
    ['seed', seed], ['roster hash', hexOf(draw.roster)], ...drawn.map(({ station, ticket }, nth): [string, string] => [`ticket ${nth + 1}`, `${ticketText(ticket)},${station}`]),
    ['auditor', hexOf(writeEntry({ kind: 'auditor', publicKey: raw, isEnrolled: true, organisation: 'bawaslu', by: 'Petugas', at }))],
    ['draw', hexOf(writeEntry(draw))], ['draw hash', hexOf(sha256(writeEntry(draw)))], ['finding', hexOf(finding)], ['finding entry', hexOf(writeEntry({ kind: 'finding', envelope: finding }))],
  ]
}

test('the vectors of the specification are what the code makes', async () => {
  assert.deepEqual(published(), await vectors())
})
