import { fail, ok, type Result } from '../kernel/result.ts'

/** Duty contacts: whom to reach at an organisation, in the order of escalation. */
export interface Contact {
  readonly name: string
  /** Place in the escalation, 1 to 5: 1 is told first. */
  readonly level: number
  readonly email: string | null
  /** ITU-T E.164: + and 8 to 15 digits. */
  readonly phone: string | null
  readonly language: 'id' | 'en'
}

/** What is wrong with a contact as it was given, and how to mend it: two sentences without their full stops. */
interface ContactFault {
  readonly field: 'name' | 'level' | 'email' | 'phone'
  readonly wrong: string
  readonly mend: string
}

export const level_max = 5
export const name_chars_max = 100
/** RFC 5321, 4.5.3.1.3: a path has 256 octets, its angle brackets included. */
export const email_chars_max = 254
/** Told back of what was given wrongly. */
const told_chars_max = 80

/**
 * A contact as it is kept: texts trimmed, an empty one null, the phone in E.164. `level` is what was read, a number or not.
 * @returns the contact, or the first thing that is wrong with it
 */
export function checkContact(given: { readonly name: string; readonly level: number; readonly email: string | null; readonly phone: string | null; readonly language?: Contact['language'] | undefined }): Result<Contact, ContactFault> {
  const name = given.name.trim().replace(/\s+/gu, ' ')
  if (name === '') return fault('name', 'a contact has no name', 'give the name of a person or of a duty, such as Piket NOC')
  // \p{C}: control, format, surrogate, private and unassigned: nothing that a name is written with
  if (/\p{C}/u.test(name) || name.includes('\ufffd')) return fault('name', `the name "${shown(name)}" holds a character that cannot be read`, 'write it anew, and save the file as CSV UTF-8')
  if ([...name].length > name_chars_max) return fault('name', `the name "${shown(name)}" has more than ${name_chars_max} characters`, 'shorten it')
  const { level } = given
  if (!Number.isInteger(level) || level < 1 || level > level_max) return fault('level', `the level is no whole number from 1 to ${level_max}`, '1 is told first, 2 when nobody of level 1 answers, and so on')
  const email = checkEmail(given.email ?? '')
  if (!email.ok) return email
  const phone = checkPhone(given.phone ?? '')
  if (!phone.ok) return phone
  if (email.value === null && phone.value === null) return fault('phone', 'there is neither an e-mail nor a phone', 'give one of the two, best both')
  return ok({ name, level, email: email.value, phone: phone.value, language: given.language ?? 'id' })
}

const fault = (field: ContactFault['field'], wrong: string, mend: string): Result<never, ContactFault> => fail({ field, wrong, mend })
/** What was given, so that one line of a terminal or a log holds it. */
const shown = (text: string): string => [...text.replace(/\p{C}/gu, '?')].slice(0, told_chars_max).join('')

/** One @, a dot in the domain, and nothing that parts, quotes or hides: what goes into a header of a mail must not make two. */
function checkEmail(given: string): Result<string | null, ContactFault> {
  const email = given.trim()
  if (email === '') return ok(null)
  if (email.length > email_chars_max) return fault('email', `the e-mail "${shown(email)}" has more than ${email_chars_max} characters`, 'give a shorter address')
  const [local = '', domain = '', ...more] = email.split('@')
  const hostile = /[\p{C}\p{Z}\ufffd<>()[\]\\,;:"]/u
  if (more.length > 0 || local === '' || hostile.test(email) || !/^[^.]+(\.[^.]+)+$/.test(domain)) return fault('email', `"${shown(email)}" is no e-mail address`, 'write one address alone, such as noc@isp.example')
  return ok(email)
}

/** E.164, or the national form with its trunk prefix 0, which becomes +62. Spaces, dots, hyphens and brackets fall away. */
function checkPhone(given: string): Result<string | null, ContactFault> {
  const written = given.trim()
  if (written === '') return ok(null)
  const phone = written.replace(/[\s().\u2010-\u2013-]/g, '')
  if (/^0[2-9][0-9]{6,12}$/.test(phone)) return ok(`+62${phone.slice(1)}`)
  if (/^\+[1-9][0-9]{7,14}$/.test(phone) && !phone.startsWith('+620')) return ok(phone)
  const mobile = /^\+?(?:62)?0?(8[0-9]{7,11})$/.exec(phone)?.[1]
  return fault('phone', `"${shown(written)}" is no phone number`, mobile === undefined ? 'write it as 08... or with its country, such as +62 812...' : `write +62${mobile}: a spreadsheet drops the 0 or + in front unless the column is text`)
}

/** What the duty contacts of an organisation lack. With none at all that alone is said. */
export const lacks = ['no_contact', 'no_first_level', 'one_person_only', 'no_phone'] as const
type Lack = (typeof lacks)[number]

/** By this two contacts of an organisation are one person: a person may stand on several levels. */
export const personOf = (name: string): string => name.toLowerCase()

/**
 * What the duty contacts of each organisation lack, in the order of `organisations`; nothing where they are complete.
 * Contacts of other organisations are passed over.
 * @returns for each its number of contacts, and `lacks` in the order of the list above
 */
export function completeness<Of extends { readonly id: string }>(
  organisations: readonly Of[], contacts: Iterable<{ readonly organisation: string; readonly name: string; readonly level: number; readonly phone: string | null }>,
): { readonly organisation: Of; readonly contacts: number; readonly lacks: readonly Lack[] }[] {
  const found = new Map(organisations.map(({ id }) => [id, { count: 0, first: false, phone: false, people: new Set<string>() }]))
  for (const { organisation, name, level, phone } of contacts) {
    const of = found.get(organisation)
    if (of === undefined) continue
    of.count++
    of.people.add(personOf(name))
    of.first ||= level === 1
    of.phone ||= phone !== null
  }
  return organisations.map((organisation) => {
    const of = found.get(organisation.id)
    if (of === undefined || of.count === 0) return { organisation, contacts: 0, lacks: ['no_contact'] }
    const lacking: Readonly<Record<Lack, boolean>> = { no_contact: false, no_first_level: !of.first, one_person_only: of.people.size === 1, no_phone: !of.phone }
    return { organisation, contacts: of.count, lacks: lacks.filter((lack) => lacking[lack]) }
  })
}
