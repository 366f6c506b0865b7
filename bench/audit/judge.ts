import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import type { Policy } from '@kawal/core/ledger/policy.ts'
import { verifyReceipt } from '@kawal/core/ledger/receipt.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { sha256, verifyEd25519 } from '@kawal/server/src/ledger/cryptography.ts'
import type { EntryReader } from '@kawal/server/src/verify/records.ts'
import type { Seen } from '@kawal/server/src/verify/seen.ts'
import { folderSource } from '@kawal/server/src/verify/source.ts'
import { openWatch } from '@kawal/server/src/verify/watch.ts'
import { goAudits } from '@kawal/testkit/go-auditor.ts'
import type { Voices } from '@kawal/testkit/written-log.ts'
import type { Shown } from './tamper.ts'

export interface Case {
  /** Of its kind. */
  readonly name: string
  readonly shown: Shown
  readonly voices: Voices
  /** The files before somebody took them in hand. */
  readonly honest: ReadonlyMap<string, Uint8Array>
}

/** Of each case whether our auditor and the one in Go found something; null where there is no Go. */
interface Judged { readonly ours: boolean; readonly theirs: boolean | null }

/** What is shown is written as files, and both auditors read the same ones. @param folder one that goes afterwards */
export async function judge(cases: readonly Case[], folder: string, auditor: string | null, change: Disbelief | null = null): Promise<Judged[]> {
  const base = join(folder, 'cases')
  const writer = createWriter(join(folder, 'shared'))
  const commands = cases.map(({ shown, voices }, nth) => writeCase(join(base, String(nth)), shown, voices, writer))
  const ours: boolean[] = []
  for (const [nth, each] of cases.entries()) ours.push(await foundByUs(join(base, String(nth)), each, change))
  const theirs = auditor === null ? null : await goAudits(auditor, commands)
  rmSync(base, { recursive: true })
  return cases.map((_, nth) => ({ ours: ours[nth] === true, theirs: theirs === null ? null : theirs[nth] !== null }))
}

/** To see that the count can fail: an auditor that does not look at some files, but takes the honest ones for them. */
export type Disbelief = (path: string, one: Case) => Uint8Array | null
export const withoutTiles: Disbelief = (path, { shown, honest }) => (shown.kind === 'log' && /^tile\/\d/.test(path) ? honest.get(path) ?? null : null)

async function foundByUs(folder: string, one: Case, change: Disbelief | null): Promise<boolean> {
  const { shown, voices: { log, witnesses } } = one
  const names = witnesses.map((_, nth) => `w${nth}`)
  const trust: Policy = { logs: [{ key: log.key, url: null }], witnesses: witnesses.map(({ key }, nth) => ({ name: `w${nth}`, key, url: null })), ...(names.length === 0 ? { groups: [], quorum: null } : { groups: [{ name: 'all', members_min: names.length, members: names }], quorum: 'all' }) }
  if (shown.kind === 'receipt') return !(await verifyReceipt(writeEntry({ kind: 'recap', envelope: shown.record }), Buffer.from(shown.receipt).toString('utf8'), trust, { sha256, verify: verifyEd25519 })).ok
  const files = folderSource(folder)
  const source = change === null ? files : { ...files, read: async (path: string, bytes_max: number) => change(path, one) ?? files.read(path, bytes_max) }
  const watch = await openWatch({
    source, key: formatVerifierKey(log.key), clock: () => 0, seen: seenBefore(shown.seen), mirror: null, entries: unread, silence_ms: Infinity, told: () => undefined,
    trust: { logs: [{ key: log.key }], witnesses: witnesses.map(({ key }) => ({ name: key.name, key })), isEnough: (names) => names.size === witnesses.length },
  })
  return (await watch.look()) !== null || watch.hasFound()
}

const seenBefore = (note: string): Seen => ({ checkpoint: () => Promise.resolve(note), save: () => Promise.resolve(), evidence: () => Promise.resolve(''), note: () => undefined })
/** What entries say is not what is tampered with here: their bytes are. */
const unread: EntryReader = { take: () => Promise.resolve(), tally: () => Promise.resolve({ kinds: {}, records: null }), close: () => Promise.resolve() }

/** The command for the auditor in Go. */
function writeCase(folder: string, shown: Shown, { log, witnesses }: Voices, write: ReturnType<typeof createWriter>): string[] {
  const keys = ['-key', formatVerifierKey(log.key), '-witnesses', witnesses.map(({ key }) => formatVerifierKey(key)).join(',')]
  mkdirSync(folder, { recursive: true })
  if (shown.kind === 'receipt') {
    writeFileSync(join(folder, 'receipt'), shown.receipt)
    writeFileSync(join(folder, 'record'), shown.record)
    return ['receipt', ...keys, join(folder, 'receipt'), join(folder, 'record')]
  }
  const made = new Set<string>()
  for (const [path, bytes] of shown.files) write(join(folder, path), bytes, made)
  writeFileSync(join(folder, 'seen'), shown.seen)
  return ['log', ...keys, '-older', join(folder, 'seen'), folder]
}

/** Most files of most cases are the same: they are written once, and linked. */
function createWriter(shared: string) {
  const written = new WeakMap<Uint8Array, string>()
  let nth = 0
  mkdirSync(shared, { recursive: true })
  return (path: string, bytes: Uint8Array, made: Set<string>): void => {
    if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true })
    made.add(dirname(path))
    let from = written.get(bytes)
    if (from === undefined) {
      from = join(shared, String(nth++))
      writeFileSync(from, bytes)
      written.set(bytes, from)
    }
    linkSync(from, path)
  }
}
