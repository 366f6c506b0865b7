import { open } from 'node:fs/promises'
import { received_held, type Received } from '@kawal/core/recap/gathered.ts'
import { sha256 as sha256Of } from '../ledger/cryptography.ts'

/** A line of a receiver's list that is none: which, and why. */
export class ReceiverListWrong extends Error {}

const columns = ['hash', 'sha256', 'status', 'station', 'contest', 'record'] as const
type Column = (typeof columns)[number]

/**
 * What a receiver says it has (docs/operating/receiver.md): CSV with a header, or an object a line, whichever the first letter says. Lines are read one by one, so that a
 * nation's list needs no memory.
 * @throws ReceiverListWrong
 */
export async function* readReceiverList(path: string): AsyncGenerator<Received> {
  let [nth, header]: [number, readonly string[] | null] = [0, null]
  const file = await open(path)
  for await (const line of file.readLines()) {
    nth++
    const text = nth === 1 ? line.replace(/^\uFEFF/, '').trim() : line.trim()
    if (text === '') continue
    const wrong = (why: string): ReceiverListWrong => new ReceiverListWrong(`${path}, line ${nth}: ${why}`)
    if (text.startsWith('{')) yield received(objectOf(text, wrong), wrong)
    else if (header === null) {
      header = cells(text)
      if (!header.includes('hash')) throw wrong('its first line is to name the columns, and there is no hash.')
    } else {
      const [names, values] = [header, cells(text)]
      yield received((column) => values[names.indexOf(column)] || null, wrong)
    }
  }
}

type Cell = (column: Column) => string | null

function received(cell: Cell, wrong: (why: string) => ReceiverListWrong): Received {
  const record = cell('record')
  const hash = hashOf(cell('hash'))
  if (hash === null) throw wrong('hash is no SHA-256 of 64 digits of hex.')
  const held = record === null ? hashOf(cell('sha256') ?? cell('hash')) : sha256Of(Buffer.from(record, 'base64'))
  if (held === null) throw wrong('sha256 is no SHA-256 of 64 digits of hex.')
  const station = cell('station')
  if (station !== null && !/^\d{13}$/.test(station)) throw wrong(`station ${station} has no 13 digits.`)
  return { hash, sha256: held, status: cell('status') ?? received_held, station, contest: cell('contest') }
}

function objectOf(text: string, wrong: (why: string) => ReceiverListWrong): Cell {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    return (column) => (typeof value[column] === 'string' && value[column] !== '' ? value[column] : null)
  } catch {
    throw wrong('it is no JSON.')
  }
}

/** None of the columns has commas or line breaks of its own; words may be quoted. */
const cells = (text: string): string[] => text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1').replaceAll('""', '"'))

const hashOf = (text: string | null): Buffer | null => (text !== null && /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : null)
