import { readEntry } from '@kawal/core/recap/entry.ts'
import { differencesOf, readSignedFinding, type Finding } from '@kawal/core/recap/finding.ts'
import { formOf } from '@kawal/core/recap/form.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { recapOf } from '../recap/stored.ts'

export interface KeptFinding {
  readonly entry: number
  readonly receivedAt: Date
  /** Of the key that signed, hex. */
  readonly kid: string
  readonly finding: Finding
  /** Fields at which the photo has something else. */
  readonly differs: readonly string[]
}

export const finding_kind = 7

/**
 * What auditors found, from the ledger, which alone has it. A finding is some hundred bytes and there is one for each slot that people looked at: all are kept in memory, and only
 * what is new is read.
 */
export function createFindings(database: Database) {
  const byDraw = new Map<string, KeptFinding[]>()
  let last = -1
  let reading: Promise<void> = Promise.resolve()

  async function read(): Promise<void> {
    const { rows, totals } = await database.transaction(system, async (client) => {
      const { rows } = await client.query<{ index: number; at: Date; bytes: Buffer }>(`SELECT index, at, bytes FROM ledger_entry WHERE kind = ${finding_kind} AND index > $1 ORDER BY index`, [last])
      const records = rows.flatMap(({ bytes }) => parsed(bytes)?.finding.record ?? []).map((hash) => Buffer.from(hash))
      const held = await client.query<{ name: Buffer; bytes: Buffer }>('SELECT name, bytes FROM ledger_entry WHERE name = ANY($1) AND kind = 1', [records])
      return { rows, totals: new Map(held.rows.map(({ name, bytes }) => [name.toString('hex'), bytes])) }
    })
    for (const { index, at, bytes } of rows) {
      last = index
      const read = parsed(bytes)
      if (read === null) continue
      const draw = Buffer.from(read.finding.draw).toString('hex')
      const record = read.finding.record === null ? undefined : totals.get(Buffer.from(read.finding.record).toString('hex'))
      byDraw.set(draw, [...(byDraw.get(draw) ?? []), { entry: index, receivedAt: at, kid: Buffer.from(read.envelope.kid).toString('hex'), finding: read.finding, differs: record === undefined ? [] : differingFields(read.finding, record) }])
    }
  }

  return {
    /** Those of one draw, in the ledger's order. @param draw hex */
    async of(draw: string): Promise<readonly KeptFinding[]> {
      // One at a time: two that read the same would keep it twice.
      const mine = reading.then(read)
      reading = mine.catch(() => undefined)
      await mine
      return byDraw.get(draw) ?? []
    },
  }
}

function parsed(bytes: Uint8Array) {
  const entry = readEntry(bytes)
  const read = entry.ok && entry.value.kind === 'finding' ? readSignedFinding(entry.value.envelope) : null
  return read?.ok === true ? read.value : null
}

function differingFields({ readings }: Finding, record: Uint8Array): string[] {
  const recap = recapOf(record)
  const form = recap === null ? null : formOf(recap.contest, recap.ballot, recap.form)
  return recap === null || form?.ok !== true ? [] : differencesOf(recap.totals, readings).map((place) => form.value.fields[place] ?? '')
}
