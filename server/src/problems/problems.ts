import type pg from 'pg'
import type { OfficerProblem, OfficerProblemGiven, OfficerProblemWord } from '@kawal/contract/sigmon.ts'
import { hour_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { ProblemKind, Ticket } from '@kawal/core/ticket/ticket.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import type { Device } from '../measurement/enrolment.ts'
import { ProblemError } from '../problem.ts'
import { officerWord, openProblemTicket } from '../ticket/tickets.ts'

/** Problems of one phone on one day: more is no help to anybody. */
const daily_max = 10
const listed_max = 50
const device_lock = 5108
/** The day turns in Jakarta for every phone: one of three zones must be the one. */
const wib_ms = 7 * hour_ms

/**
 * Keeps a problem and opens its ticket, in one transaction; both are on disk when this resolves. The same id
 * from the same phone again gives what there is.
 * @param max problems of one phone on one day
 */
export async function reportProblem(database: Database, device: Device, given: OfficerProblemGiven, now: Instant, max = daily_max): Promise<{ problem: OfficerProblem; created: boolean }> {
  const givenAt = Date.parse(given.givenAt)
  // A leap second has the form of a time and is no instant here.
  if (!Number.isFinite(givenAt)) throw new ProblemError('body_invalid', `givenAt ${given.givenAt} is no instant.`)
  return database.transaction(system, async (client) => {
    const ticketId = await numbered(client, device, given.id, now, max)
    if (ticketId === null) return { problem: await again(client, device, given.id, max), created: false }
    const accessPoint = given.accessPoint === null ? null : plain(given.accessPoint)
    const to = await recipient(client, device.station, given.kind, accessPoint)
    const areaName = await areaOf(client, device.station)
    const problem = { kind: given.kind, text: plain(given.text), station: device.station, accessPoint, givenAt }
    const ticket = await openProblemTicket(client, problem, { id: ticketId, operator: to.id, operatorName: to.name, areaName }, now)
    return { problem: shown(given.id, ticket), created: true }
  })
}

/** Takes the next number of the phone's day. @returns the ticket's id, or null where there is no place or the id is known */
async function numbered(client: pg.PoolClient, device: Device, id: string, now: Instant, max: number): Promise<string | null> {
  // Those of one phone take turns, so that each sees the numbers before it; the constraint has the last word.
  await client.query('SELECT pg_advisory_xact_lock($1, $2)', [device_lock, device.key])
  const { rows } = await client.query<{ ticket_id: string }>(
    `INSERT INTO officer_problem (id, device_key, day, number, ticket_id, received_at)
     SELECT $1, $2, $3, coalesce(max(number), 0) + 1, 'LP-' || lpad(nextval('officer_problem_number')::text, 6, '0'), $4
     FROM officer_problem WHERE device_key = $2 AND day = $3 HAVING coalesce(max(number), 0) < $5
     ON CONFLICT (id) DO NOTHING RETURNING ticket_id`,
    [id, device.key, new Date(now + wib_ms).toISOString().slice(0, 10), new Date(now), max])
  return rows[0]?.ticket_id ?? null
}

async function again(client: pg.PoolClient, device: Device, id: string, max: number): Promise<OfficerProblem> {
  const known = (await client.query<{ device_key: number; state: Ticket }>('SELECT device_key, state FROM officer_problem JOIN ticket ON ticket.id = ticket_id WHERE officer_problem.id = $1', [id])).rows[0]
  if (known?.device_key === device.key) return shown(id, known.state)
  if (known !== undefined) throw new ProblemError('state_conflict', 'Another phone has drawn this id. Draw a new one, and send the problem again.')
  // Said for good, not for later: the officer shall read it now and call, not find it waiting tomorrow.
  throw new ProblemError('too_many_problems', `This phone has reported ${max} problems today. Call the help line, or report again tomorrow.`)
}

/** The phone's newest problems, as they stand now. */
export async function readProblems(database: Database, device: Device): Promise<OfficerProblem[]> {
  const { rows } = await database.transaction(system, (client) => client.query<{ id: string; state: Ticket }>(
    `SELECT officer_problem.id, state FROM officer_problem JOIN ticket ON ticket.id = ticket_id
     WHERE device_key = $1 ORDER BY received_at DESC, ticket_id DESC LIMIT $2`, [device.key, listed_max]))
  return rows.map(({ id, state }) => shown(id, state))
}

/** What the word makes of a ticket that is no longer `resolved`, because it was heard already. */
const heard: Readonly<Record<OfficerProblemWord['word'], ReadonlySet<Ticket['status']>>> = { fixed: new Set(['closed']), still: new Set(['reopened']) }

/**
 * The officer's word on a problem that is said to be resolved: `fixed` closes it, `still` opens it again. A
 * word that was heard already is heard again without effect, for a phone that missed the answer.
 */
export async function wordOnProblem(database: Database, device: Device, id: string, word: OfficerProblemWord['word'], now: Instant): Promise<{ problem: OfficerProblem; ticket: string | null }> {
  return database.transaction(system, async (client) => {
    const row = (await client.query<{ state: Ticket }>('SELECT state FROM officer_problem JOIN ticket ON ticket.id = ticket_id WHERE officer_problem.id::text = $1 AND device_key = $2', [id.toLowerCase(), device.key])).rows[0]
    if (row === undefined) throw new ProblemError('not_found', 'This phone has reported no such problem.')
    const said = await officerWord(client, row.state.id, word, now)
    if (said.ok) return { problem: shown(id, said.value), ticket: said.value.id }
    if (heard[word].has(row.state.status)) return { problem: shown(id, row.state), ticket: null }
    throw new ProblemError('state_conflict', row.state.status === 'closed' || row.state.status === 'cancelled'
      ? 'This problem is closed. If it is there again, report it anew.'
      : 'Nobody has said yet that this problem is resolved. Wait for the answer, or call the help line.')
  })
}

/** What an officer sees of a ticket. `reopened` is `inProgress` to him: somebody is at it again. */
function shown(id: string, ticket: Ticket): OfficerProblem {
  const { problem } = ticket
  if (problem === undefined) throw new Error(`${ticket.id} is the ticket of no problem`)
  const answers = ticket.history.filter(({ kind, text }) => text !== '' && (kind === 'noted' || kind === 'resolved' || kind === 'held' || kind === 'cancelled'))
  return {
    id, kind: problem.kind, text: problem.text, givenAt: new Date(problem.givenAt).toISOString(), ticket: ticket.id,
    status: ticket.status === 'reopened' ? 'inProgress' : ticket.status, with: ticket.operatorName,
    answer: answers.at(-1)?.text ?? null, changedAt: new Date(ticket.updatedAt).toISOString(),
  }
}

interface Recipient { readonly id: string; readonly name: string }

/**
 * Who gets it. An access point is its owner's, the election server the commission's. All else goes to people:
 * the helpdesk whose area is the nearest around the station, or the monitoring centre. A missing signal goes
 * to no operator at once: one officer's word is no disturbance. The duty officer may transfer it.
 */
async function recipient(client: pg.PoolClient, station: string, kind: ProblemKind, accessPoint: string | null): Promise<Recipient> {
  const first = async (text: string, values: unknown[]): Promise<Recipient | null> => (await client.query<Recipient>(text, values)).rows[0] ?? null
  const ofKind = (name: string): Promise<Recipient | null> => first('SELECT id, name FROM organisation WHERE kind = $1 ORDER BY id LIMIT 1', [name])
  const found = kind === 'election_server' ? await ofKind('kpu')
    : kind === 'access_point' ? await first('SELECT organisation.id, organisation.name FROM access_point JOIN organisation ON organisation.id = organisation_id WHERE access_point.id = $1 AND valid_to IS NULL', [accessPoint]) ?? await ofKind('bakti')
    : await first("SELECT id, name FROM organisation WHERE kind = 'helpdesk' AND starts_with($1, area_code) ORDER BY length(area_code) DESC, id LIMIT 1", [station])
  const to = found ?? await ofKind('ministry')
  if (to === null) throw new Error('the first migration makes a ministry')
  return to
}

/** Village and district by name, as people say where a station is. */
async function areaOf(client: pg.PoolClient, station: string): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM region_now WHERE code IN ($1, $2) ORDER BY length(code) DESC', [station.slice(0, 10), station.slice(0, 6)])
  return rows.length === 0 ? station : rows.map((row) => row.name).join(', ')
}

/**
 * Without what no keyboard makes and a screen or a database may stumble over: control characters but for the
 * end of a line, half surrogate pairs, and the marks that turn the direction of text around them (Unicode
 * Standard Annex 9), by which a text can be made to read as another.
 */
function plain(text: string): string {
  return text.toWellFormed().replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, '')
}
