import type { Instant } from '../kernel/clock.ts'
import { fail, ok, type Result } from '../kernel/result.ts'
import { joinBytes, sameBytes } from '../ledger/bytes.ts'
import type { Sha256Sync } from '../ledger/merkle.ts'
import { isBytes, isUint, readCbor, writeCbor, type Cbor, type CborFault } from '../recap/cbor.ts'
import { namesMade, publicOf, type Fact, type Facts } from './deed.ts'

/** An act as the audit has it, names and addresses of people included. */
export interface ActRow {
  readonly id: number
  readonly at: Instant
  readonly organisation: string
  readonly role: string | null
  readonly staff: string | null
  readonly name: string | null
  readonly key: string | null
  readonly contact: string | null
  readonly address: string | null
  readonly method: string
  readonly path: string
  readonly subject: string | null
  readonly reason: string | null
  readonly request: string | null
  readonly facts: Facts | null
}

/** What came of it. */
export interface OutcomeRow {
  readonly id: number
  readonly at: Instant
  readonly status: number
  readonly made: string | null
}

/**
 * What the log of acts holds (spec/acts.md): what everybody may know, and a commitment to the whole row. Whoever may read the row proves
 * that it is this one; nobody else learns a name from it.
 */
export type ActEntry =
  | { readonly kind: 'act'; readonly id: number; readonly at: Instant; readonly organisation: string; readonly role: string | null; readonly deed: string; readonly method: string; readonly path: string | null; readonly subject: string | null; readonly facts: Facts | null; readonly commitment: Uint8Array }
  /** `act` is the index of its act's entry. */
  | { readonly kind: 'outcome'; readonly act: number; readonly at: Instant; readonly status: number; readonly made: string | null; readonly commitment: Uint8Array }

/** Numbers that no other log has: a reader tells an entry of acts without asking whose log it reads. */
const kinds = { act: 11, outcome: 12 } as const
export const actEntryKind = ({ kind }: ActEntry): number => kinds[kind]

const salt_bytes = 32
const hash_bytes = 32
const entry_bytes_max = 65_535
/** The year 9999. */
const instant_max = 253_402_300_799_999
const text_chars_max = 2_000
const status_max = 999

type EntryFault = CborFault | 'entry_form'

/** The whole row as bytes: as many as it has columns, in this order. */
export const actRowBytes = (row: ActRow): Uint8Array<ArrayBuffer> =>
  writeCbor([row.id, row.at, row.organisation, text(row.role), text(row.staff), text(row.name), text(row.key), text(row.contact), text(row.address), row.method, text(row.path), text(row.subject), text(row.reason), text(row.request), factsCbor(row.facts)])
export const outcomeRowBytes = ({ id, at, status, made }: OutcomeRow): Uint8Array<ArrayBuffer> => writeCbor([id, at, status, text(made)])

/** As a spreadsheet file has it, which cannot tell an empty text from none, and marks what could be a formula. */
const text = (value: string | null): string | null => (value === null || value === '' ? null : value.replace(/^'(?=[=+\-@\t\r])/, ''))
const factsCbor = (facts: Facts | null): Cbor => (facts === null ? null : new Map(Object.entries(facts)))

/** 32 bytes that say which row it was to who has the salt, and nothing to who has not. */
export const commitmentOf = (salt: Uint8Array, row: Uint8Array, sha256: Sha256Sync): Uint8Array => sha256(joinBytes([salt, row]))

export function actEntry(row: ActRow, salt: Uint8Array, sha256: Sha256Sync): ActEntry {
  const { id, at, organisation, role, method, facts } = row
  return { kind: 'act', id, at, organisation, role, method, ...publicOf(row), facts, commitment: commitmentOf(salt, actRowBytes(row), sha256) }
}

/** @param act its entry's index, and as the audit has it */
export function outcomeEntry(row: OutcomeRow, act: Pick<ActRow, 'method' | 'path'> & { readonly entry: number }, salt: Uint8Array, sha256: Sha256Sync): ActEntry {
  const isPublic = namesMade(act) && row.made !== null && /^[\w.:-]{1,64}$/.test(row.made)
  return { kind: 'outcome', act: act.entry, at: row.at, status: row.status, made: isPublic ? row.made : null, commitment: commitmentOf(salt, outcomeRowBytes(row), sha256) }
}

/** @throws {RangeError} for what no reader would take: a bug */
export function writeActEntry(entry: ActEntry): Uint8Array<ArrayBuffer> {
  const bytes = writeCbor(entry.kind === 'act'
    ? [kinds.act, entry.id, entry.at, entry.organisation, entry.role, entry.deed, entry.method, entry.path, entry.subject, factsCbor(entry.facts), entry.commitment]
    : [kinds.outcome, entry.act, entry.at, entry.status, entry.made, entry.commitment])
  const read = readActEntry(bytes)
  if (!read.ok) throw new RangeError(`this is no entry of an act: ${read.error}`)
  return bytes
}

export function readActEntry(bytes: Uint8Array): Result<ActEntry, EntryFault> {
  const read = readCbor(bytes, entry_bytes_max)
  if (!read.ok) return read
  if (!Array.isArray(read.value)) return fail('entry_form')
  const [kind, ...parts] = read.value as readonly Cbor[]
  const entry = kind === kinds.act ? readAct(parts) : kind === kinds.outcome ? readOutcome(parts) : null
  return entry === null ? fail('entry_form') : ok(entry)
}

function readAct([id, at, organisation, role, deed, method, path, subject, facts, commitment, ...rest]: readonly Cbor[]): ActEntry | null {
  const known = readFacts(facts)
  return isUint(id, Number.MAX_SAFE_INTEGER, 1) && isUint(at, instant_max) && isText(organisation) && isTextOrNull(role) && isText(deed) && isText(method) && isTextOrNull(path) && isTextOrNull(subject) && known !== undefined && isBytes(commitment, hash_bytes) && rest.length === 0
    ? { kind: 'act', id, at, organisation, role, deed, method, path, subject, facts: known, commitment } : null
}

const readOutcome = ([act, at, status, made, commitment, ...rest]: readonly Cbor[]): ActEntry | null =>
  isUint(act, Number.MAX_SAFE_INTEGER) && isUint(at, instant_max) && isUint(status, status_max) && isTextOrNull(made) && isBytes(commitment, hash_bytes) && rest.length === 0 ? { kind: 'outcome', act, at, status, made, commitment } : null

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0 && value.length <= text_chars_max
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value)

/** @returns undefined for what are none */
function readFacts(value: Cbor | undefined): Facts | null | undefined {
  if (value === null) return null
  if (!(value instanceof Map)) return undefined
  const entries = [...value.entries()] as [unknown, unknown][]
  return entries.every(([name, fact]) => typeof name === 'string' && isFact(fact)) ? Object.fromEntries(entries as [string, Fact][]) : undefined
}

const isFact = (value: unknown): value is Fact => value === null || ['string', 'number', 'boolean'].includes(typeof value) || (Array.isArray(value) && value.every((each) => typeof each === 'string'))

/** An entry with what it commits to: a proof that names its row. */
interface OpenedEntry { readonly entry: Uint8Array; readonly salt: Uint8Array; readonly row: Uint8Array }

export const writeOpened = ({ entry, salt, row }: OpenedEntry): Uint8Array<ArrayBuffer> => writeCbor([entry, salt, row])

/** `commitment_other`: the row is not the one that the entry speaks of; `entry_other`: the entry says something else than its row. */
type OpenFault = EntryFault | 'extra_form' | 'commitment_other' | 'entry_other'

type Opened = { readonly kind: 'act'; readonly entry: Extract<ActEntry, { kind: 'act' }>; readonly row: ActRow } | { readonly kind: 'outcome'; readonly entry: Extract<ActEntry, { kind: 'outcome' }>; readonly row: OutcomeRow }

/** Reads what stands beside a proof as its extra, and holds row and entry against each other. */
export function openEntry(extra: Uint8Array, sha256: Sha256Sync): Result<Opened & { readonly bytes: Uint8Array }, OpenFault> {
  const read = readCbor(extra, 3 * entry_bytes_max)
  if (!read.ok) return read
  const [bytes, salt, row, ...rest] = Array.isArray(read.value) ? read.value as readonly Cbor[] : []
  if (!(bytes instanceof Uint8Array) || !isBytes(salt, salt_bytes) || !(row instanceof Uint8Array) || rest.length > 0) return fail('extra_form')
  const entry = readActEntry(bytes)
  if (!entry.ok) return entry
  if (!sameBytes(commitmentOf(salt, row, sha256), entry.value.commitment)) return fail('commitment_other')
  const opened = agreeing(entry.value, row)
  return opened === null ? fail('entry_other') : ok({ ...opened, bytes })
}

/** What everybody is told must follow from the row: nobody shall show another act than the one that he commits to. */
function agreeing(entry: ActEntry, bytes: Uint8Array): Opened | null {
  const read = readCbor(bytes, entry_bytes_max)
  if (!read.ok || !Array.isArray(read.value)) return null
  const columns = read.value as readonly Cbor[]
  if (entry.kind === 'outcome') {
    const [id, at, status, made] = columns
    return columns.length === 4 && at === entry.at && status === entry.status && (entry.made === null || made === entry.made) ? { kind: 'outcome', entry, row: { id, at, status, made } as OutcomeRow } : null
  }
  const [id, at, organisation, role, staff, name, key, contact, address, method, path, subject, reason, request, facts] = columns
  if (columns.length !== 15) return null
  const row = { id, at, organisation, role, staff, name, key, contact, address, method, path, subject, reason, request, facts: readFacts(facts) ?? null } as ActRow
  return isOf(entry, row) ? { kind: 'act', entry, row } : null
}

/** Whether an entry tells everybody of a row what it must; words of deeds are never given another meaning. */
export function isOf(entry: Extract<ActEntry, { kind: 'act' }>, row: ActRow): boolean {
  const { id, at, organisation, role, method, facts } = row
  return sameBytes(writeActEntry(entry), writeActEntry({ kind: 'act', id, at, organisation, role, method, ...publicOf(row), facts, commitment: entry.commitment }))
}
