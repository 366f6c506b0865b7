import type { DisturbanceEvidence } from '@kawal/core/detection/disturbance.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import type { ClockReading } from '@kawal/core/ticket/clock.ts'
import type { TicketDispute } from '@kawal/core/ticket/dispute.ts'
import { coveredBy, type TicketAttachment, type TicketRelation } from '@kawal/core/ticket/relation.ts'
import { clocks, ticketStatuses, type ProblemKind, type Ticket, type TicketCause, type TicketEvent, type TicketStatus } from '@kawal/core/ticket/ticket.ts'
import type { TicketVerification } from '@kawal/core/ticket/verification.ts'
import type { LiveDispute, LiveTicket, LiveVerification } from '@kawal/contract/live.ts'
import type { Characteristic, TmfStatus, TroubleTicket, TroubleTicketEvent } from '@kawal/contract/ticket.ts'

export const ticketPath = '/tmf-api/troubleTicket/v5/troubleTicket'
export const attachmentPath = (ticket: string, attachment: string): string => `/v1/tickets/${ticket}/attachments/${attachment}`

/**
 * Our statuses in the words of TMF621 v5, which knows neither `submitted` nor `reopened`: a ticket that
 * the interface has taken in is `acknowledged` there, and one whose resolution was refused is
 * `inProgress`. The characteristic `lifecycle` always says which of ours it is.
 */
const tmfStatus: Readonly<Record<TicketStatus, TmfStatus>> = {
  submitted: 'acknowledged', acknowledged: 'acknowledged', inProgress: 'inProgress', reopened: 'inProgress',
  pending: 'pending', resolved: 'resolved', closed: 'closed', cancelled: 'cancelled',
}

/** The statuses of ours that a filter on a TMF621 status means. */
export function statusesOf(tmf: string): TicketStatus[] {
  return ticketStatuses.filter((status) => tmfStatus[status] === tmf)
}

const causeText: Readonly<Record<TicketCause['cause'], string>> = {
  power: 'Listrik padam', access: 'Gangguan jaringan akses', backhaul: 'Gangguan jaringan penghubung (backhaul)', core: 'Gangguan jaringan inti',
  congestion: 'Jaringan padat', degradation: 'Mutu jaringan menurun', access_point: 'Gangguan titik akses', election_server: 'Gangguan server pemilu',
  ingest: 'Gangguan penerimaan laporan', undetermined: 'Gangguan, penyebab belum pasti',
}

const problemText: Readonly<Record<ProblemKind, string>> = {
  signal: 'sinyal', access_point: 'titik akses', election_server: 'server pemilu', app: 'aplikasi', position: 'posisi TPS', other: 'lain-lain',
}

export function titleOf(ticket: Ticket): string {
  const { areaName, disturbance, problem, request, operatorName } = ticket
  if (request !== undefined) return `Permintaan ${operatorName}: ${request.ticketType}`
  if (problem !== undefined) return `Laporan petugas (${problemText[problem.kind]}): TPS ${problem.station}, ${areaName}`
  return disturbance === null ? areaName : `${causeText[disturbance.cause]}: ${areaName}, ${stationsIn(ticket).length} TPS`
}

/** The stations of all that a ticket covers, each once. */
function stationsIn(ticket: Ticket): readonly string[] {
  const all = coveredBy(ticket)
  return all.length < 2 ? all[0]?.stations ?? [] : [...new Set(all.flatMap(({ stations }) => stations))].toSorted()
}

/** The planned work that held back what it covers until that overran. */
const overranIn = (ticket: Ticket): string | undefined => coveredBy(ticket).find(({ overran }) => overran !== undefined)?.overran

/** What kind of ticket it is, how grave, and what it is about: in the standard's fields. */
function subject(ticket: Ticket): Pick<TroubleTicket, 'description' | 'severity' | 'ticketType' | 'priority' | 'relatedEntity' | 'externalIdentifier'> {
  const { areaName, disturbance, problem, request } = ticket
  if (request !== undefined) {
    const { description, severity, ticketType, externalId } = request
    return { description, severity, ticketType, priority: 'medium', relatedEntity: [], ...(externalId === null ? {} : { externalIdentifier: [{ '@type': 'ExternalIdentifier', id: externalId, owner: ticket.operatorName, externalIdentifierType: 'troubleTicket' }] }) }
  }
  if (disturbance === null) {
    return {
      description: problem?.text ?? '', severity: 'minor', ticketType: 'officerProblem', priority: 'medium',
      relatedEntity: problem === undefined ? [] : [
        related('place', 'PollingStation', problem.station, areaName),
        ...(problem.accessPoint === null ? [] : [related('accessPoint', 'AccessPoint', problem.accessPoint)]),
      ],
    }
  }
  const all = coveredBy(ticket)
  // As grave as the gravest of them.
  const severity = all.some((cause) => cause.severity === 'down') ? 'down' : 'degraded'
  return {
    description: `${causeText[disturbance.cause]} (${severity}) ${ticket.operatorName} di ${areaName} (${disturbance.areaCode}): ${stationsIn(ticket).length} TPS terdampak sejak ${rfc3339(Math.min(...all.map(({ startedAt }) => startedAt)))}.`,
    severity: severity === 'down' ? 'critical' : 'major',
    ticketType: 'electionNetworkDisturbance',
    priority: severity === 'down' ? 'high' : 'medium',
    relatedEntity: all.flatMap(({ id, areaCode }) => [
      related('disturbance', 'Disturbance', id),
      related('place', 'GeographicArea', areaCode, id === disturbance.id ? areaName : undefined),
    ]),
  }
}

/** RFC 3339 in UTC. */
function rfc3339(at: Instant): string {
  return new Date(at).toISOString()
}

/** The ticket as a TMF621 v5 resource. @param now instant at which its clocks are read */
export function toTmf(ticket: Ticket, now: Instant): TroubleTicket {
  const [restore] = clocks(ticket, now)
  const last = ticket.statusHistory.at(-1)
  return {
    '@type': 'TroubleTicket',
    id: ticket.id,
    href: hrefOf(ticket.id),
    name: titleOf(ticket),
    ...subject(ticket),
    creationDate: rfc3339(ticket.openedAt),
    lastUpdate: rfc3339(ticket.updatedAt),
    ...(restore === undefined ? {} : { requestedResolutionDate: rfc3339(restore.dueAt) }),
    ...(ticket.expectedAt === null ? {} : { expectedResolutionDate: rfc3339(ticket.expectedAt) }),
    ...(ticket.resolvedAt === null ? {} : { resolutionDate: rfc3339(ticket.resolvedAt) }),
    status: tmfStatus[ticket.status],
    statusChangeDate: rfc3339(last?.at ?? ticket.openedAt),
    ...(last === undefined || last.reason === '' ? {} : { statusChangeReason: last.reason }),
    statusChangeHistory: ticket.statusHistory.map((change) => ({
      '@type': 'StatusChange', statusChangeDate: rfc3339(change.at), status: tmfStatus[change.status],
      statusChangeReason: [change.status, change.reason].filter(Boolean).join(': '),
    })),
    attachment: (ticket.attachments ?? []).map((each) => attachmentOf(ticket, each)),
    troubleTicketRelationship: (ticket.relations ?? []).map(relationshipOf),
    note: ticket.notes.map((note) => ({ '@type': 'Note', id: note.id, author: note.by, date: rfc3339(note.at), text: note.text })),
    relatedParty: ticket.request === undefined
      ? [party('operator', ticket.operator, ticket.operatorName), party('originator', 'kawal', 'Kawal Sinyal')]
      : [party('originator', ticket.operator, ticket.operatorName), party('operator', 'kawal', 'Kawal Sinyal')],
    troubleTicketCharacteristic: characteristics(ticket, now),
  }
}

function attachmentOf(ticket: Ticket, { id, name, mimeType, bytes, description, attachmentType }: TicketAttachment): TroubleTicket['attachment'][number] {
  return {
    '@type': 'Attachment', id, name, mimeType, ...(description === '' ? {} : { description }), ...(attachmentType === '' ? {} : { attachmentType }),
    url: urlOf(ticket, id), size: { amount: bytes, units: 'byte' },
  }
}

const urlOf = (ticket: Ticket, attachment: string): string => attachmentPath(encodeURIComponent(ticket.id), encodeURIComponent(attachment))
const hrefOf = (id: string): string => `${ticketPath}/${encodeURIComponent(id)}`

function relationshipOf({ type, ticket, name }: TicketRelation): TroubleTicket['troubleTicketRelationship'][number] {
  return { '@type': 'TroubleTicketRelationship', relationshipType: type, id: ticket, href: hrefOf(ticket), ...(name === undefined ? {} : { name }), '@referredType': 'TroubleTicket' }
}

function related(role: string, referredType: string, id: string, name?: string): TroubleTicket['relatedEntity'][number] {
  return { '@type': 'RelatedEntity', role, entity: { '@type': 'EntityRef', id, ...(name === undefined ? {} : { name }), '@referredType': referredType } }
}

function party(role: string, id: string, name: string): TroubleTicket['relatedParty'][number] {
  return { '@type': 'RelatedPartyRefOrPartyRoleRef', role, partyOrPartyRole: { '@type': 'PartyRef', id, name, '@referredType': 'Organization' } }
}

function characteristics(ticket: Ticket, now: Instant): Characteristic[] {
  const { disturbance, problem } = ticket
  const overran = overranIn(ticket)
  const [restore, repair] = clocks(ticket, now)
  const text = (name: string, value: string): Characteristic => ({ '@type': 'StringCharacteristic', name, valueType: 'string', value })
  const object = (name: string, value: object): Characteristic => ({ '@type': 'ObjectCharacteristic', name, valueType: 'object', value })
  return [
    text('lifecycle', ticket.status),
    ...(problem === undefined ? [] : [text('problem', problem.kind), text('startedAt', rfc3339(problem.givenAt)), stationsOf([problem.station])]),
    ...(disturbance === null ? [] : [
      text('cause', disturbance.cause),
      text('startedAt', rfc3339(disturbance.startedAt)),
      text('foundAt', rfc3339(disturbance.foundAt)),
      stationsOf(stationsIn(ticket)),
      object('evidence', disturbance.evidence),
    ]),
    ...(coveredBy(ticket).length < 2 ? [] : [coveredValue(ticket)]),
    ...(restore === undefined || repair === undefined ? [] : [object('restoreClock', clockValue(restore)), object('repairClock', clockValue(repair))]),
    { '@type': 'IntegerCharacteristic', name: 'reopened', valueType: 'integer', value: ticket.reopened },
    ...(ticket.restoredAt === null ? [] : [text('restoredAt', rfc3339(ticket.restoredAt))]),
    ...(ticket.dispute === undefined ? [] : [object('dispute', disputeValue(ticket.dispute))]),
    ...(ticket.verification == null ? [] : [object('verification', verificationValue(ticket.verification))]),
    ...(overran === undefined ? [] : [text('overranWork', overran)]),
  ]
}

/** Of a ticket that covers several disturbances each of them, with its own evidence. */
function coveredValue(ticket: Ticket): Characteristic {
  const value = coveredBy(ticket).map(({ id, cause, severity, areaCode, stations, startedAt, evidence }) => ({ id, cause, severity, areaCode, stations, startedAt: rfc3339(startedAt), evidence }))
  return { '@type': 'ObjectArrayCharacteristic', name: 'covered', valueType: 'array', value }
}

function stationsOf(codes: readonly string[]): Characteristic {
  return { '@type': 'StringArrayCharacteristic', name: 'stations', valueType: 'array', value: [...codes] }
}

function clockValue(clock: ClockReading): object {
  return { state: clock.state, dueAt: rfc3339(clock.dueAt), usedMs: clock.used_ms, late: clock.late, pausedReason: clock.pausedReason }
}

function disputeValue({ kind, text, by, since, evidence, answer }: TicketDispute): object {
  return { kind, text, by, since: rfc3339(since), evidence, answer: answer?.word ?? null, ...(answer === null ? {} : { answerReason: answer.reason, answeredAt: rfc3339(answer.at) }) }
}

const verificationValue = ({ state, claimedAt, since, good, bad, silent, broken, disturbances }: TicketVerification): LiveVerification =>
  ({ state, claimedAt: rfc3339(claimedAt), since: rfc3339(since), good, bad, silent, broken: [...broken], ...(disturbances === undefined ? {} : { disturbances: [...disturbances] }) })

const countsOf = (evidence: DisturbanceEvidence): LiveDispute['counts'] => ({ expected: evidence.devicesExpected, silent: evidence.devicesSilent, bad: evidence.devicesBad, good: evidence.devicesGood })

const liveDispute = ({ kind, text, by, since, evidence, answer }: TicketDispute): LiveDispute => ({
  kind, text, by, since: rfc3339(since), counts: countsOf(evidence), answer: answer === null ? null : { word: answer.word, reason: answer.reason, by: answer.by, at: rfc3339(answer.at) },
})

function liveEntry(of: Ticket, { at, by, kind, text, evidence, clock, dispute, relation, attachment, disturbances }: Ticket['history'][number]): LiveTicket['history'][number] {
  return {
    at: rfc3339(at), by, kind, text, clock, dispute: dispute ?? null, counts: evidence === null ? null : countsOf(evidence),
    ...(relation === undefined ? {} : { relation: { type: relation.type, ticket: relation.ticket } }),
    ...(attachment === undefined ? {} : { attachment: { name: attachment.name, bytes: attachment.bytes, url: urlOf(of, attachment.id) } }),
    ...(disturbances === undefined ? {} : { disturbances: [...disturbances] }),
  }
}

/** The ticket as the console shows it. */
export function toLive(ticket: Ticket, now: Instant): LiveTicket {
  const overran = overranIn(ticket)
  return {
    id: ticket.id,
    disturbanceId: ticket.disturbance?.id ?? null,
    covers: (ticket.covers ?? []).map(({ id }) => id),
    relations: (ticket.relations ?? []).map(({ type, ticket: other }) => ({ type, ticket: other })),
    problem: ticket.problem === undefined ? null : { kind: ticket.problem.kind, text: ticket.problem.text, station: ticket.problem.station, areaName: ticket.areaName },
    request: ticket.request === undefined ? null : ticket.request,
    status: ticket.status,
    operator: ticket.operator,
    operatorName: ticket.operatorName,
    title: titleOf(ticket),
    stationCount: ticket.problem === undefined ? stationsIn(ticket).length : 1,
    openedAt: rfc3339(ticket.openedAt),
    clocks: clocks(ticket, now).map((clock) => ({ name: clock.name, state: clock.state, dueAt: rfc3339(clock.dueAt), pausedReason: clock.pausedReason })),
    reopened: ticket.reopened,
    dispute: ticket.dispute === undefined ? null : liveDispute(ticket.dispute),
    ...(ticket.verification == null ? {} : { verification: verificationValue(ticket.verification) }),
    ...(overran === undefined ? {} : { overran }),
    history: ticket.history.map((entry) => liveEntry(ticket, entry)),
  }
}

/**
 * The notification of one command's events: one a command, after the most telling of them.
 * @param to the organisation that is told: who has the ticket, or who had it until now
 */
export function notification(ticket: Ticket, events: readonly TicketEvent[], now: Instant, to: string): TroubleTicketEvent {
  const kinds = new Set(events.map((event) => event.kind))
  // To whoever a ticket is transferred it is new; to who had it the operator among its parties is another.
  const eventType = to !== ticket.operator ? 'TroubleTicketAttributeValueChangeEvent'
    : kinds.has('opened') || kinds.has('transferred') ? 'TroubleTicketCreateEvent'
    : kinds.has('withdrawn') ? 'TroubleTicketDeleteEvent'
    : kinds.has('closed') ? 'TroubleTicketResolvedEvent'
    : [...kinds].some((kind) => statusKinds.has(kind)) ? 'TroubleTicketStatusChangeEvent'
    : 'TroubleTicketAttributeValueChangeEvent'
  return {
    '@type': eventType, eventType, eventId: `${ticket.id}.${ticket.version}`, eventTime: rfc3339(ticket.updatedAt),
    // Of what is deleted the standard gives a reference alone.
    event: { troubleTicket: eventType === 'TroubleTicketDeleteEvent' ? { '@type': 'TroubleTicketRef', id: ticket.id, href: hrefOf(ticket.id), name: titleOf(ticket) } : toTmf(ticket, now) },
  }
}

/**
 * What the monitoring centre asks of who made a request, beside the notification of the same events: to say more when it waits,
 * and whether it is settled when it says so. @returns null where nothing is asked
 */
export function informationRequired(ticket: Ticket, events: readonly TicketEvent[], now: Instant): TroubleTicketEvent | null {
  const asking = ticket.request === undefined ? undefined : events.findLast(({ kind, by }) => (kind === 'held' || kind === 'resolved') && by !== ticket.operator)
  if (asking === undefined) return null
  const eventType = 'TroubleTicketInformationRequiredEvent'
  return {
    '@type': eventType, eventType, eventId: `${ticket.id}.${ticket.version}.asked`, eventTime: rfc3339(ticket.updatedAt),
    event: { troubleTicket: toTmf(ticket, now), informationRequired: asking.kind === 'held' ? { op: 'add', path: '/note' } : { op: 'replace', path: '/status' } },
  }
}

const statusKinds: ReadonlySet<TicketEvent['kind']> = new Set(['acknowledged', 'started', 'held', 'resumed', 'resolved', 'reopened', 'cancelled'])
