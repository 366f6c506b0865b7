import { checkContact, personOf, type Contact } from '@kawal/core/organisation/contacts.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import type { Rows } from '../register/read-file.ts'
import { contacts_max } from './contacts.ts'

/** A contact of the file, with where it stands. */
interface InvitedContact { readonly line: number; readonly contact: Contact; readonly fields: Fields }

/** One organisation of the file, with its good rows. */
export interface Invited {
  readonly id: string
  readonly name: string
  /** As the file has it; null where it says nothing. */
  readonly kind: InvitedKind | null
  readonly contacts: readonly InvitedContact[]
}

/** A row that is not taken: what is wrong and how to mend it, two sentences without their full stops. */
export interface RejectedRow {
  readonly line: number
  readonly wrong: string
  readonly mend: string
  readonly fields: Fields
}

/** A row as it was written, by column. */
type Fields = Readonly<Record<Column, string>>

interface Invitation {
  readonly organisations: readonly Invited[]
  readonly rejected: readonly RejectedRow[]
  readonly rows: number
}

export const inviteColumns = ['organisation', 'name', 'kind', 'contact', 'email', 'phone', 'level'] as const
type Column = (typeof inviteColumns)[number]
const optional: readonly string[] = ['kind']
/** Columns of a list of rejected rows: mended, it may be given as it is. */
export const rejectColumns = ['line', 'wrong', 'mend'] as const

/** A slip in a list of a thousand shall give nobody the rights of an authority: those are added one by one. */
const kinds = ['isp', 'operator', 'bakti', 'helpdesk'] as const
type InvitedKind = (typeof kinds)[number]
export const kind_default: InvitedKind = 'isp'

/** Held in memory together: every ISP of the country with a dozen contacts is some 15,000 rows. */
const rows_max = 20_000
const organisation_name_chars_max = 200
const id_chars_max = 64

/** An organisation's id: lower-case letters and digits, with single hyphens between. */
export const isOrganisationId = (id: string): boolean => id.length <= id_chars_max && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)

/**
 * Reads a list of organisations with their contacts, one row a contact; the rows of an organisation need not be together.
 * Bad rows are rejected, each with its line, and take no other with them.
 * @returns what was read, or what is wrong with the whole of it
 */
export async function readInvitation(rows: Rows): Promise<Result<Invitation, string>> {
  const places = placesOf(rows.header)
  if (!places.ok) return places
  const [found, rejected] = [new Map<string, Invited & { readonly contacts: InvitedContact[] }>(), [] as RejectedRow[]]
  let count = 0
  for await (const { line, fields: written, problem } of rows.records()) {
    if (written?.every((text) => text.trim() === '') === true) continue // a spreadsheet's empty row
    if (++count > rows_max) return fail(`it has more than ${rows_max} rows: give it in parts`)
    const fields = Object.fromEntries(inviteColumns.map((name) => [name, unguarded(written?.[places.value.get(name) ?? -1] ?? '')])) as Fields
    const taken = written === null ? fail(['the row cannot be read as CSV', problem] as const) : take(fields, line, found)
    if (!taken.ok) rejected.push({ line, wrong: taken.error[0], mend: taken.error[1], fields })
  }
  return ok({ organisations: [...found.values()], rejected, rows: count })
}

/** Where each column stands, whatever the order and the case. */
function placesOf(header: readonly string[]): Result<ReadonlyMap<string, number>, string> {
  const names = header.map((name) => name.trim().toLowerCase())
  const expected = `The first line names the columns: ${inviteColumns.join(', ')}; kind may be left out, the order is free`
  const known: readonly string[] = [...inviteColumns, ...rejectColumns]
  const [missing, unknown, twice] = [
    inviteColumns.filter((name) => !names.includes(name) && !optional.includes(name)), names.filter((name) => name !== '' && !known.includes(name)), names.filter((name, at) => name !== '' && names.indexOf(name) !== at)]
  const say = (what: string, list: readonly string[]): string => `${what} ${list.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 40))).join(', ')}`
  const wrong = [...(missing.length > 0 ? [say('it lacks the column', missing)] : []), ...(unknown.length > 0 ? [say('it has the unknown column', unknown)] : []), ...(twice.length > 0 ? [say('it has twice the column', twice)] : [])]
  return wrong.length > 0 ? fail(`${wrong.join(', and ')}. ${expected}`) : ok(new Map(names.map((name, at) => [name, at])))
}

/** Without the apostrophe that keeps a spreadsheet from taking a cell for a formula. */
const unguarded = (text: string): string => text.trim().replace(/^'(?=[=+\-@])/, '')

type Wrong = readonly [wrong: string, mend: string]

/** Adds a row's contact to its organisation; what goes wrong leaves all as it was. */
function take(fields: Fields, line: number, found: Map<string, Invited & { readonly contacts: InvitedContact[] }>): Result<void, Wrong> {
  const wrong = (...sentences: Wrong): Result<never, Wrong> => fail(sentences)
  const { organisation: id, name, kind: asked, level } = fields
  if (!isOrganisationId(id)) return wrong(`"${id.slice(0, 80)}" is no id of an organisation`, `take up to ${id_chars_max} lower-case letters, digits and single hyphens, such as maju-net`)
  if (name === '' || [...name].length > organisation_name_chars_max || /\p{C}/u.test(name) || name.includes('\ufffd'))
    return wrong('the name of the organisation is empty, too long or cannot be read', `write its name in each row, up to ${organisation_name_chars_max} characters, and save the file as CSV UTF-8`)
  const kind = kinds.find((each) => each === asked.toLowerCase()) ?? null
  if (asked !== '' && kind === null) return wrong(`"${asked.slice(0, 80)}" is no kind that is invited`, `write ${kinds.join(', ')}, or nothing for ${kind_default}; others are added by kawal org add`)
  const checked = checkContact({ name: fields.contact, level: /^[0-9]{1,3}$/.test(level) ? Number(level) : Number.NaN, email: fields.email, phone: fields.phone })
  if (!checked.ok) return wrong(checked.error.wrong, checked.error.mend)
  const before = found.get(id)
  const row = { line, contact: checked.value, fields }
  if (before === undefined) {
    found.set(id, { id, name, kind, contacts: [row] })
    return ok(undefined)
  }
  const first = before.contacts[0]?.line ?? 0
  if (before.name !== name) return wrong(`${id} is called "${before.name}" in line ${first}, and otherwise here`, 'write the same name in all its rows')
  if (kind !== null && kind !== (before.kind ?? kind_default)) return wrong(`${id} is of kind ${before.kind ?? kind_default} in line ${first}, and ${kind} here`, 'write the same kind in all its rows')
  const same = before.contacts.find(({ contact }) => contact.level === row.contact.level && personOf(contact.name) === personOf(row.contact.name))
  if (same !== undefined) return wrong(`${row.contact.name} is on level ${row.contact.level} of ${id} in line ${same.line} already`, 'leave one of the two out, or give one another name or level')
  if (before.contacts.length >= contacts_max) return wrong(`${id} has ${contacts_max} contacts in the rows above`, 'leave this one out: an organisation has no more')
  before.contacts.push(row)
  return ok(undefined)
}
