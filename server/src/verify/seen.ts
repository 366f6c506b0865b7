import { appendFileSync, mkdirSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { rfc3339 } from '@kawal/core/kernel/clock.ts'
import type { Head } from '@kawal/core/ledger/head.ts'
import { syncFolder, writeDurably } from '../durable.ts'
import { sha256 } from '../ledger/cryptography.ts'

/** What somebody who watches a log keeps: the newest checkpoint that he saw, what he cried out about, and what proves it. */
export interface Seen {
  checkpoint(): Promise<string | null>
  save(head: Head): Promise<void>
  /** Two signed checkpoints that do not go together, as text for whoever is to be shown. @returns its path */
  evidence(name: 'fork' | 'rollback', seen: Head, shown: Head, at: number): Promise<string>
  /** A line of JSON in `alarms.jsonl`. */
  note(line: object): void
}

export function openSeen(folder: string): Seen {
  mkdirSync(folder, { recursive: true })
  async function write(name: string, text: string): Promise<string> {
    await writeDurably(folder, `.${name}`, text, 0o644)
    await rename(join(folder, `.${name}`), join(folder, name))
    await syncFolder(folder)
    return join(folder, name)
  }
  return {
    checkpoint: () => readFile(join(folder, 'checkpoint'), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    }),
    save: async ({ note }) => void (await write('checkpoint', note)),
    evidence: (name, seen, shown, at) => {
      const mark = Buffer.from(sha256(Buffer.from(shown.note))).toString('hex').slice(0, 8)
      return write(`${name}-${seen.checkpoint.size}-${shown.checkpoint.size}-${mark}.txt`, evidenceOf(name, seen, shown, at))
    },
    note: (line) => appendFileSync(join(folder, 'alarms.jsonl'), `${JSON.stringify(line)}\n`),
  }
}

const evidenceOf = (name: 'fork' | 'rollback', seen: Head, shown: Head, at: number): string =>
  `${seen.checkpoint.origin}: two checkpoints that its key signed, and ${name === 'fork' ? 'neither is proved to be the beginning of the other' : 'the second is older than the first'}.\n\n--- seen first ---\n${seen.note}\n--- shown at ${rfc3339(at)} ---\n${shown.note}`
