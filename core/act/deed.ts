/**
 * What people, systems and commands do, by a word each, and what everybody may know of it: the log of acts is public, and an
 * address may hold the id of a person, a command the name of one. What a table below does not let through stays in the audit alone.
 */

/** What is known of an act beside its words: as `from`, `areas`, `status`, or a setting. */
export type Fact = string | number | boolean | null | readonly string[]
export type Facts = Readonly<Record<string, Fact>>

interface Told {
  /** What it was about, or what it made, names no person: a ticket, a key by its public id, a station. */
  readonly names?: true
  /** Of the body: what everybody may know. */
  readonly facts?: readonly string[]
}
const named: Told = { names: true }

/** Addresses as the server routes them; one that ends in `*` stands for all below it. The first that fits. */
const byAddress = [
  ['POST', '/v1/session/*', 'logIn'], ['POST', '/v1/session', 'logIn'], ['DELETE', '/v1/session', 'logOut'], ['DELETE', '/v1/sessions/:id', 'endSession'],
  ['POST', '/v1/passkeys/options', 'addPasskey'], ['POST', '/v1/passkeys', 'addPasskey'], ['PATCH', '/v1/passkeys/:id', 'namePasskey'], ['DELETE', '/v1/passkeys/:id', 'removePasskey'],
  ['POST', '/v1/push/:id/test', 'tryPush'], ['POST', '/v1/push', 'subscribe'], ['DELETE', '/v1/push/:id', 'unsubscribe'],
  ['POST', '/v1/keys', 'makeKey', { names: true, facts: ['scope'] }], ['DELETE', '/v1/keys/:id', 'revokeKey', named],
  ['POST', '/v1/contacts', 'addContact', { facts: ['level'] }], ['PUT', '/v1/contacts/:id', 'changeContact', { facts: ['level'] }], ['DELETE', '/v1/contacts/:id', 'removeContact'],
  ['POST', '/v1/announcements', 'announce', { names: true, facts: ['audience', 'mustAcknowledge', 'until'] }], ['POST', '/v1/announcements/:id/acknowledge', 'readAnnouncement', named],
  ['POST', '/v1/disturbances/:id/comments', 'comment', named], ['POST', '/v1/disturbances/:id/ticket', 'openTicket', named],
  ['POST', '/v1/planned-work', 'planWork', { names: true, facts: ['operator', 'from', 'to', 'areas'] }], ['PATCH', '/v1/planned-work/:id', 'changeWork', { names: true, facts: ['from', 'to', 'areas'] }], ['DELETE', '/v1/planned-work/:id', 'withdrawWork', named],
  ['POST', '/v1/siting/decisions', 'decideMoves', { facts: ['decisions'] }], ['POST', '/v1/siting/what-if', 'askWhatIf'],
  ['POST', '/v1/stations/:code/position', 'givePosition', { names: true, facts: ['latitude', 'longitude', 'validFrom'] }], ['POST', '/v1/positions/:id/decision', 'decidePosition', { names: true, facts: ['decision', 'validFrom'] }],
  ['POST', '/v1/access-points/:id/state', 'stateAccessPoint', { names: true, facts: ['working', 'uplinkMbps'] }], ['POST', '/v1/campaign/reminders', 'remind', { facts: ['area'] }],
  ['POST', '/v1/atlas/challenges', 'challenge', { names: true, facts: ['edition', 'cell', 'station', 'operator', 'technology'] }], ['POST', '/v1/atlas/challenges/:id/decision', 'decideChallenge', { names: true, facts: ['status'] }],
  ['POST', '/v1/supervisor-letters', 'issueLetters', { facts: ['area'] }], ['POST', '/v1/audits/keys', 'enrolAuditor'], ['DELETE', '/v1/audits/keys/:kid', 'withdrawAuditor', named], ['POST', '/v1/audits/:id/findings', 'signFinding', named], ['POST', '/v1/audits', 'drawSample', { names: true, facts: ['seed', 'contests'] }],
  ['POST', '/tmf-api/troubleTicket/v5/hub', 'listen', named], ['DELETE', '/tmf-api/troubleTicket/v5/hub/:id', 'unlisten', named],
  ['POST', '/tmf-api/troubleTicket/:version/troubleTicket', 'openTicket', { names: true, facts: ['relatedEntity'] }], ['POST', '/tmf-api/troubleTicket/:version/troubleTicket/', 'openTicket', named],
  ['PATCH', '/tmf-api/troubleTicket/:version/troubleTicket/:id', 'changeTicket', { names: true, facts: ['status', 'expectedResolutionDate', 'relatedParty', 'relatedEntity', 'troubleTicketRelationship'] }],
  ['DELETE', '/tmf-api/troubleTicket/:version/troubleTicket/:id', 'withdrawTicket', named], ['POST', '/t/*', 'answerByLink', { names: true, facts: ['act'] }],
  // Kept message by message as they came; here only where they are refused, or are about many.
  ...(['POST', 'PUT', 'PATCH', 'DELETE'] as const).flatMap((method) => (['/tmf-api/alarmManagement/v4/*', '/tmf-api/alarm/v4/*', '/v1/alarms/*'] as const).map((route) => [method, route, 'sendAlarm'] as const)),
  // Of phones and boxes, and of systems that post a hint: here only where they are refused.
  ['POST', '/v1/recaps', 'handIn'], ['PUT', '/v1/recaps/:hash/photos', 'handIn'], ['POST', '/v1/photos', 'handIn'], ['PATCH', '/v1/photos/:photo', 'handIn'], ['PUT', '/v1/boxes/self', 'handIn'], ['POST', '/v1/peers/events/:token', 'hint'],
] as const satisfies readonly (readonly [method: string, route: string, deed: string, told?: Told])[]

/** Commands by their first words; how many words everybody may know, and which options. */
const byCommand = [
  ['serve', 1, 'startServer', []], ['stop', 1, 'stopServer', []],
  ['org add', 3, 'addOrganisation', ['kind', 'area']], ['org invite', 2, 'inviteOrganisations', []], ['org link', 3, 'makeLogInLink', []], ['org person', 3, 'endPerson', []], ['org key', 3, 'makeKey', ['scope']],
  ['org revoke', 3, 'revokeAccess', ['key']], ['org level', 3, 'setServiceLevel', ['severity', 'restore', 'repair']], ['org peer', 3, 'setPeer', []],
  ['import', 2, 'importData', ['date', 'operator', 'technology']], ['plan', 1, 'makePlan', ['date', 'edition', 'operators', 'province']], ['atlas publish', 2, 'publishEdition', ['date', 'operators']],
  ['reports archive', 2, 'dropReports', ['days']], ['reports drop', 2, 'dropReports', ['days']], ['export codes', 2, 'exportCodes', ['province', 'for']], ['export letters', 2, 'exportCodes', ['area', 'format', 'for']],
  ['device revoke', 3, 'revokeDevice', []], ['android publish', 2, 'publishAndroid', []], ['android withdraw', 3, 'withdrawAndroid', []], ['configure', 1, 'configurePhones', []],
] as const
/** What is no request and no command. */
const byMethod = [['MAIL', 'answerByMail'], ['PEER', 'answerByPeer']] as const

export type Deed = (typeof byAddress)[number][2] | (typeof byCommand)[number][2] | (typeof byMethod)[number][1] | 'other'
/** Methods of acts that are commands of the machine, or of the platform itself. */
const commanding: ReadonlySet<string> = new Set(['CLI', 'CLOCK'])

/** What everybody may know of an act. */
interface PublicAct {
  readonly deed: Deed
  /** The address as it is routed, or the command; null for what has no word. */
  readonly path: string | null
  /** Null where it may name a person. */
  readonly subject: string | null
}

/** Words and ids: what people write in their own words is never among them. */
const plain = /^[A-Za-z0-9._:+-]{1,64}$/
const patterns = byAddress.map(([, route]) => new RegExp(`^${route.replace(/\*$/, '.*').replace(/:[a-z]+/g, '[^/]+')}$`, 'i'))

function addressed(method: string, path: string): (typeof byAddress)[number] | undefined {
  return byAddress.find(([verb], nth) => verb === method && patterns[nth]?.test(path) === true)
}

/** @param path of a request its address, of a command what was typed, without secrets */
export function publicOf({ method, path, subject }: { readonly method: string; readonly path: string; readonly subject: string | null }): PublicAct {
  if (commanding.has(method)) return commandOf(path)
  const other = byMethod.find(([each]) => each === method)
  if (other !== undefined) return { deed: other[1], path: plain.test(path) ? path : null, subject: shown(subject) }
  const found = addressed(method, path)
  return found === undefined ? { deed: 'other', path: null, subject: null } : { deed: found[2], path: found[1], subject: told(found).names === true ? shown(subject) : null }
}

/** The word of an address as the server routes it, or of an act. */
export const deedOf = (act: { readonly method: string; readonly path: string }): Deed => publicOf({ ...act, subject: null }).deed

/** Whether everybody may know what an act made. */
export function namesMade({ method, path }: { readonly method: string; readonly path: string }): boolean {
  const found = addressed(method, path)
  return found !== undefined && told(found).names === true
}

const told = (row: readonly [string, string, string, Told?]): Told => row[3] ?? {}
const shown = (subject: string | null): string | null => (subject !== null && plain.test(subject) ? subject : null)

function commandOf(typed: string): PublicAct {
  const [head = '', ...options] = typed.split(' --')
  const words = head.split(' ')
  const found = byCommand.find(([name]) => words.slice(0, name.split(' ').length).join(' ') === name)
  if (found === undefined) return { deed: 'other', path: null, subject: null }
  const [, count, deed, names] = found
  const known = words.slice(0, count).filter((word) => plain.test(word))
  const given = options.filter((option) => {
    const [name = '', ...value] = option.split(' ')
    return (names as readonly string[]).includes(name) && /^[A-Za-z0-9._:+,-]{1,200}$/.test(value.join(' '))
  })
  return { deed, path: [known.join(' '), ...given].join(' --'), subject: known[2] ?? null }
}

/** An entry has 65,535 bytes. */
const list_chars_max = 30_000

/** What everybody may know of a request's body. @returns null for nothing */
export function factsOf(method: string, path: string, body: unknown): Facts | null {
  const found = addressed(method, path)
  const names = found === undefined ? undefined : told(found).facts
  if (names === undefined) return null
  // A calendar of works, or many moves at once.
  if (typeof body === 'string') return { lines: body.split('\n').filter((line) => line.trim() !== '').length }
  if (Array.isArray(body)) return { [names[0] ?? 'items']: words(body.map(itemOf)) }
  if (typeof body !== 'object' || body === null) return null
  const facts = Object.fromEntries(names.flatMap((name): [string, Fact][] => {
    const fact = factOf((body as Readonly<Record<string, unknown>>)[name])
    return fact === undefined ? [] : [[name, fact]]
  }))
  return Object.keys(facts).length === 0 ? null : facts
}

function factOf(value: unknown): Fact | undefined {
  if (typeof value === 'string') return plain.test(value) ? value : undefined
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value
  return Array.isArray(value) ? words(value.map((each: unknown) => (typeof each === 'string' ? each : idIn(each)))) : undefined
}

function words(found: readonly (string | null)[]): readonly string[] {
  let chars = 0
  return found.filter((each): each is string => each !== null && plain.test(each) && (chars += each.length) <= list_chars_max)
}

/** Of a related party, entity or ticket of TMF621. */
function idIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const { id, partyOrPartyRole, entity } = value as Readonly<Record<string, unknown>>
  return typeof id === 'string' ? id : idIn(partyOrPartyRole) ?? idIn(entity)
}

/** Of a decision on a move. */
function itemOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const { station, decision } = value as Readonly<Record<string, unknown>>
  return typeof station === 'string' && typeof decision === 'string' ? `${station}:${decision}` : null
}
