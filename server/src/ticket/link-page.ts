import { createHash } from 'node:crypto'
import { hour_ms, minute_ms, type Instant } from '@kawal/core/kernel/clock.ts'
import type { ClockReading } from '@kawal/core/ticket/clock.ts'
import { disputeKinds, type DisputeKind } from '@kawal/core/ticket/dispute.ts'
import { clocks, decide, isOver, type Ticket, type TicketAction } from '@kawal/core/ticket/ticket.ts'
import { defaultVerification, unverified } from '@kawal/core/ticket/verification.ts'
import { system } from '../adapters/postgres/database.ts'
import type { LinkAct, LinkWords } from './link-words.ts'
import { zoneOfTicket, zones } from './local-time.ts'

/** What the page shows of a ticket to whom. */
export interface LinkView {
  readonly ticket: Ticket
  readonly now: Instant
  readonly words: LinkWords
  /** False where the organisation reads its tickets and answers none. */
  readonly mayAnswer: boolean
  readonly notice: string | null
  /** Of the organisations in its history, by id. */
  readonly names: ReadonlyMap<string, string>
  /** What was typed and could not be kept: it goes back into its form. */
  readonly typed: { readonly act: LinkAct; readonly text: string } | null
}

const linkActs: readonly LinkAct[] = ['fixed', 'still', 'acknowledge', 'start', 'hold', 'resume', 'resolve', 'estimate', 'note', 'dispute']
export const isLinkAct = (text: string): text is LinkAct => linkActs.some((act) => act === text)

export const disputeKindOf = (text: string | null): DisputeKind | undefined => disputeKinds.find((kind) => kind === text)

/** The act as the ticket's own action. @param expectedAt of an estimate alone @param dispute of a dispute alone */
export function actionOf(act: LinkAct, text: string, expectedAt: Instant, dispute: DisputeKind = 'not_ours'): TicketAction {
  switch (act) {
    case 'hold': return { kind: 'hold', reason: text }
    case 'resolve': return { kind: 'resolve', text }
    case 'note': return { kind: 'note', text }
    case 'estimate': return { kind: 'estimate', expectedAt }
    case 'dispute': return { kind: 'dispute', dispute, text }
    case 'fixed': case 'still': return { kind: 'word', word: act }
    default: return { kind: act }
  }
}

const stations_shown_max = 20
const history_shown_max = 50
const text_chars_max = 2_000

/** Text that is HTML already; whatever else goes into a page is escaped. */
class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
type Piece = string | Markup | null | readonly (Markup | null)[]

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const written = (piece: Piece): string => {
  if (piece === null) return ''
  if (typeof piece === 'string') return piece.replace(/[&<>"']/g, (sign) => entities[sign] ?? '')
  return piece instanceof Markup ? piece.text : piece.map((each) => each?.text ?? '').join('')
}
const html = (parts: TemplateStringsArray, ...pieces: Piece[]): Markup => new Markup(String.raw({ raw: parts }, ...pieces.map(written)))

const style = `
:root{color-scheme:light;font:17px/1.45 system-ui,-apple-system,Roboto,'Noto Sans',sans-serif;background:#f2f4f7;color:#14181f}
*{box-sizing:border-box}
body{margin:0 auto;max-width:40rem;padding:.5rem .75rem 3rem;overflow-wrap:anywhere}
header{display:flex;justify-content:space-between;gap:1rem;align-items:center}
header p,h1,h2{margin:0}
h1{font-size:1.3rem;margin-top:.25rem}
h2{font-size:1.1rem}
section{background:#fff;border:1px solid #c5ccd8;border-radius:.5rem;padding:.75rem;margin-top:.75rem}
section.now{border-left:.4rem solid #1b4f9c}
p,ul,dl,details{margin:.4rem 0 0}
ul{padding-left:1.1rem}
a,summary{color:#1b4f9c}
a,header p{min-height:2.75rem;display:inline-flex;align-items:center}
summary{cursor:pointer;padding:.7rem 0}
.small{font-size:.88rem;color:#454f5e}
.notice{background:#fff3b0;border:2px solid #7a5d00;border-radius:.5rem;padding:.75rem;font-weight:600}
dl{display:grid;grid-template-columns:1fr auto;gap:.2rem 1rem}
dd{margin:0;font-weight:600;text-align:right}
progress{-webkit-appearance:none;appearance:none;display:block;width:100%;height:.8rem;border:1px solid #59636f;border-radius:.2rem;background:#e4e8ee;color:#1b6b3a}
progress::-webkit-progress-bar{background:#e4e8ee}
progress::-webkit-progress-value{background:currentColor}
progress::-moz-progress-bar{background:currentColor}
progress.at_risk{color:#b35c00}
progress.overdue{color:#b3141f}
progress.paused{color:#59636f}
form{margin-top:.75rem;padding-top:.75rem;border-top:1px solid #dde2ea}
h2+form{border:0;padding:0}
label{display:block;font-weight:600}
textarea,input,select{display:block;width:100%;margin-top:.25rem;padding:.6rem;font:inherit;border:1px solid #59636f;border-radius:.35rem;background:#fff;color:inherit}
input,select{min-height:3rem}
button{display:block;width:100%;min-height:3.25rem;margin-top:.5rem;padding:.5rem;font:inherit;font-weight:700;border:2px solid #1b4f9c;border-radius:.5rem;background:#1b4f9c;color:#fff}
button[value=estimate],button[value=note],button[value=dispute]{background:#fff;color:#1b4f9c}
:focus-visible{outline:3px solid #b35c00;outline-offset:2px}
pre{white-space:pre-wrap;font:inherit;margin:.4rem 0 0}
`

/** Of the page: it loads nothing, runs nothing, stands in no frame, and its forms come back here. */
export const linkPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`

function page(w: LinkWords, title: string, main: Markup): string {
  const other = w.lang === 'id' ? 'en' : 'id'
  return written(html`<!doctype html>
<html lang="${w.lang}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title} - Kawal Sinyal</title><style>${new Markup(style)}</style></head>
<body>
<header><p><b>Kawal Sinyal</b></p><a href="?lang=${other}" hreflang="${other}" lang="${other}">${w.otherLanguage}</a></header>
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>
`)
}

/** A page that says one thing, where there is no ticket to show. */
export const plainPage = (w: LinkWords, title: string, how: string): string => page(w, title, html`<p>${how}</p>`)

/** The ticket, what is asked of the reader, and the forms of his answer. */
export function ticketPage(view: LinkView): string {
  const { ticket, words: w, notice, now } = view
  const say = speaker(view)
  const acts = view.mayAnswer ? possible(ticket, now) : []
  return page(w, w.ticket(ticket.id), html`<p class="small">${w.to(ticket.operatorName)}. ${w.asOf(say.time(now))}</p>
<a href="?lang=${w.lang}">${w.reload}</a>
${notice === null ? null : html`<p role="status" class="notice">${notice}</p>`}
${unplaced(view, acts)}
<section class="now"><h2>${w.statusIs(statusOf(view))}</h2><p>${askedOf(view)}</p>${stillBroken(view)}${restoredUnsaid(view)}${acts.length === 0 ? null : html`<a href="#answer">${w.acts}</a>`}</section>
${disputed(view)}
${subject(view)}
${times(view)}
${clockSection(view)}
${evidence(view)}
${acts.length === 0 ? null : html`<section id="answer"><h2>${w.acts}</h2>${acts.map((act) => form(view, act, acts))}</section>`}
${history(view)}`)
}

/** How instants, counts and spans are written for this reader, at these stations. */
function speaker({ ticket, now, words: w }: LinkView) {
  const zone = zoneOfTicket(ticket)
  const day = new Intl.DateTimeFormat(w.locale, { timeZone: zone, dateStyle: 'medium' })
  const clock = new Intl.DateTimeFormat(w.locale, { timeZone: zone, timeStyle: 'short' })
  const today = day.format(now)
  const hour = (at: Instant): string => `${clock.format(at)} ${zones[zone][0]}`
  const time = (at: Instant): string => `${day.format(at)}, ${hour(at)}`
  const count = (value: number): string => value.toLocaleString(w.locale)
  return {
    count,
    time,
    /** Without the day where it is the page's own. */
    short: (at: Instant): string => (day.format(at) === today ? hour(at) : time(at)),
    /** Whole minutes that have passed: of what is left none is promised that is not there. */
    span(ms: number): string {
      const minutes = Math.floor(ms / minute_ms)
      if (minutes < 1) return w.underMinute
      return ms < hour_ms ? w.minutes(count(minutes)) : w.hoursMinutes(count(Math.floor(minutes / 60)), count(minutes % 60))
    },
  }
}

/** What the ticket's own rules allow its operator just now: nothing once it is over. */
function possible(ticket: Ticket, now: Instant): LinkAct[] {
  // What is said to be over needs no estimate.
  return linkActs.filter((act) => (act !== 'estimate' || ticket.status !== 'resolved') && decide(ticket, { ...actionOf(act, act, now), by: ticket.operator, actor: 'operator' }, now).ok)
}

const kindOf = (ticket: Ticket): keyof LinkWords['askedResolved'] => (ticket.request !== undefined ? 'request' : ticket.problem !== undefined ? 'problem' : 'disturbance')

function statusOf({ ticket, words: w }: LinkView): string {
  if (ticket.verification?.state === 'unverified') return `${w.status[ticket.status]}, ${w.unverified}`
  return ticket.status === 'closed' && ticket.disturbance !== null ? w.closedByMeasurement : w.status[ticket.status]
}

function askedOf(view: LinkView): string {
  const { ticket, words: w, mayAnswer } = view
  const kind = kindOf(ticket)
  const { verification } = ticket
  if (verification?.state === 'asked' || verification?.state === 'unverified') return w.askedUnverified[verification.state](speaker(view).time(verification.claimedAt))
  if (!mayAnswer) return w.readOnly
  if (ticket.status === 'resolved') return w.askedResolved[kind](String(defaultVerification.verify_ms / minute_ms))
  return kind === 'request' && !isOver(ticket) ? w.askedRequest : w.asked[ticket.status]
}

/** What was measured still when a claim was refused, by station. */
function stillBroken({ ticket, words: w }: LinkView): Markup | null {
  const { verification } = ticket
  if (verification?.state !== 'refused' || isOver(ticket) || verification.broken.length === 0) return null
  return html`<p>${w.stillBroken}: ${verification.broken.map(({ station }) => station).join(', ')}</p>`
}

function restoredUnsaid(view: LinkView): Markup | null {
  const { ticket, words: w } = view
  if (ticket.restoredAt === null || ticket.status === 'resolved' || isOver(ticket)) return null
  return html`<p>${w.restored(speaker(view).time(ticket.restoredAt), String(defaultVerification.grace_ms / minute_ms))}</p>`
}

function subject(view: LinkView): Markup {
  const { ticket: { disturbance, problem, request, areaName, operatorName }, words: w } = view
  const { count } = speaker(view)
  if (request !== undefined) return html`<section><h2>${w.request}: ${request.ticketType}</h2><p>${request.severity}</p><pre>${request.description}</pre></section>`
  if (problem !== undefined) return html`<section><h2>${w.problem}: ${w.problemKind[problem.kind]}</h2><p>${w.station(problem.station)}, ${areaName}</p>${problem.text === '' ? null : html`<pre>${problem.text}</pre>`}</section>`
  if (disturbance === null) return html`<section><h2>${areaName}</h2></section>`
  const { cause, severity, areaCode, stations, overran } = disturbance
  const more = stations.length - stations_shown_max
  return html`<section><h2>${w.cause(cause, operatorName, severity)}</h2><p>${areaName} (${areaCode}), ${w.stations(count(stations.length))}</p>${overran === undefined ? null : html`<p>${w.overran(overran)}</p>`}
<details><summary>${w.stationList}</summary><ul>${stations.slice(0, stations_shown_max).map((code) => html`<li>${code}</li>`)}</ul>${more > 0 ? html`<p>${w.moreStations(count(more))}</p>` : null}</details></section>`
}

/** Both sides of the last dispute, and what the monitoring centre said to it. */
function disputed(view: LinkView): Markup | null {
  const { ticket: { dispute }, words: w } = view
  if (dispute === undefined) return null
  const { answer } = dispute
  const { time } = speaker(view)
  return html`<section><h2>${w.dispute}: ${w.disputeKind[dispute.kind]}</h2><p class="small">${w.disputedBy(byOf(view, dispute.by), time(dispute.since))}</p><pre>${dispute.text}</pre>
<p><b>${w.measuredThen}</b>: ${countsIn(view, dispute.evidence)}</p>
${answer === null ? html`<p>${w.disputeOpen}</p>` : html`<p><b>${w.disputeAnswer[answer.word]}</b>, ${time(answer.at)}</p>${answer.reason === '' ? null : html`<pre>${answer.reason}</pre>`}`}</section>`
}

function times(view: LinkView): Markup {
  const { ticket, words: w } = view
  const { disturbance, problem } = ticket
  const { time, count } = speaker(view)
  const line = (at: Instant | null | undefined, say: (time: string) => string): Markup | null => (at === null || at === undefined ? null : html`<li>${say(time(at))}</li>`)
  return html`<section><h2>${w.when}</h2><ul>${[
    line(disturbance?.startedAt ?? problem?.givenAt ?? ticket.openedAt, w.since),
    line(disturbance?.foundAt, w.found),
    line(isOver(ticket) ? null : ticket.expectedAt, w.expected),
    line(ticket.restoredAt, w.measuredWell),
    line(ticket.resolvedAt, w.saidWell),
    line(ticket.closedAt, ticket.status === 'cancelled' ? w.cancelled : w.closed),
    ticket.reopened === 0 ? null : html`<li>${w.reopened(count(ticket.reopened))}</li>`,
  ]}</ul></section>`
}

function clockSection(view: LinkView): Markup | null {
  const { ticket, now, words: w } = view
  if (ticket.clocks.length === 0 || ticket.status === 'cancelled') return null
  return html`<section><h2>${w.clocks}</h2>${clocks(ticket, now).map((reading, index) => {
    const budget_ms = ticket.clocks[index]?.budget_ms ?? 1
    const share = Math.min(100, Math.round(reading.used_ms / budget_ms * 100))
    return html`<p><b>${w.clockName[reading.name]}</b>: ${clockText(view, reading, budget_ms)}</p><progress class="${reading.state}" max="100" value="${String(share)}" aria-hidden="true"></progress>`
  })}</section>`
}

function clockText(view: LinkView, { state, used_ms, late, dueAt, pausedReason }: ClockReading, budget_ms: number): string {
  const { words: w } = view
  const { span, short } = speaker(view)
  const over = span(used_ms - budget_ms)
  const left = w.left(span(budget_ms - used_ms))
  const paused = pausedReason === null ? null : w.paused(pausedReason === 'verification' ? w.verification : pausedReason === unverified ? w.unverified : pausedReason)
  switch (state) {
    case 'met': return late ? w.metLate(over) : w.met
    case 'overdue': return [w.over(over), paused].filter((text) => text !== null).join(', ')
    case 'paused': return `${paused ?? w.clockState.paused}, ${left}`
    case 'at_risk': return `${w.clockState.at_risk}, ${left}, ${w.due(short(dueAt))}`
    case 'running': return `${left}, ${w.due(short(dueAt))}`
  }
}

function evidence(view: LinkView): Markup | null {
  const { ticket: { disturbance }, words: w } = view
  if (disturbance === null) return null
  const { count } = speaker(view)
  const rows = ['devicesExpected', 'devicesSilent', 'devicesBad', 'devicesGood'] as const
  return html`<section><h2>${w.evidence}</h2><dl>${rows.map((row) => html`<dt>${w.counted[row]}</dt><dd>${count(disturbance.evidence[row])}</dd>`)}</dl></section>`
}

/** Where a text that could not be kept goes: into its own form, else into the note's; null where neither is there any more. */
function homeOf({ typed }: LinkView, acts: readonly LinkAct[]): LinkAct | null {
  if (typed === null || typed.text === '') return null
  return acts.includes(typed.act) ? typed.act : acts.includes('note') ? 'note' : null
}

function unplaced(view: LinkView, acts: readonly LinkAct[]): Markup | null {
  const { typed, words: w } = view
  return typed === null || typed.text === '' || homeOf(view, acts) !== null ? null : html`<section><h2>${w.yourText}</h2><pre>${typed.text}</pre></section>`
}

/** One act as one form: a phone's Enter then presses no other button. */
function form(view: LinkView, act: LinkAct, acts: readonly LinkAct[]): Markup {
  const { ticket, words: w } = view
  const text = homeOf(view, acts) === act ? view.typed?.text ?? '' : ''
  const area = (label: string, required: boolean, hint = ''): Markup => html`<label for="${act}">${label}</label><textarea id="${act}" name="text" rows="2" maxlength="${String(text_chars_max)}"${required ? new Markup(' required') : null}${hint === '' ? null : html` aria-describedby="${act}-hint"`}>
${text}</textarea>${hint === '' ? null : html`<p class="small" id="${act}-hint">${hint}</p>`}`
  const fields: Readonly<Partial<Record<LinkAct, () => Markup>>> = {
    hold: () => area(w.holdReason, true, w.holdHint),
    resolve: () => area(w.resolveText, false),
    note: () => area(w.noteText, true),
    dispute: () => html`<label for="dispute-kind">${w.disputeKindLabel}</label><select id="dispute-kind" name="kind">${disputeKinds.map((kind) => html`<option value="${kind}">${w.disputeKind[kind]}</option>`)}</select>${area(w.disputeText, true, w.disputeHint)}`,
    estimate: () => html`<label for="estimate">${w.estimateTime(zones[zoneOfTicket(ticket)][0])}</label><input id="estimate" name="text" type="datetime-local" placeholder="2029-02-14 15:30" required value="${text}">`,
  }
  return html`<form method="post" action="?lang=${w.lang}" autocomplete="off"><input type="hidden" name="version" value="${String(ticket.version)}">${fields[act]?.() ?? null}<button name="act" value="${act}">${w.act[act]}</button></form>
`
}

type Entry = Ticket['history'][number]

function history(view: LinkView): Markup {
  const { ticket, words: w } = view
  const { short, count } = speaker(view)
  const entries = ticket.history.toReversed()
  const more = entries.length - history_shown_max
  return html`<section><h2>${w.history}</h2><ul>${entries.slice(0, history_shown_max).map((entry) => {
    const said = saidIn(view, entry)
    return html`<li><b>${w.event[entry.kind]}</b>, ${short(entry.at)}, ${byOf(view, entry.by)}${said === '' ? null : html`<pre>${said}</pre>`}</li>`
  })}</ul>${more > 0 ? html`<p>${w.earlier(count(more))}</p>` : null}</section>`
}

function byOf({ names, words: w }: LinkView, by: string): string {
  return by === system.organisation ? w.measurement : by === 'officer' ? w.officer : names.get(by) ?? by
}

/** What an event says beside its kind. Words that measurement gives programs are said in the reader's. */
function saidIn(view: LinkView, { kind, text, evidence: found, clock, dispute, relation, attachment, disturbances = [] }: Entry): string {
  const { words: w } = view
  if (found !== null) return [countsIn(view, found), ...(disturbances.length > 0 ? [(kind === 'reopened' ? w.notWellYet : w.notMeasured)(disturbances.join(', '))] : [])].join('. ')
  if (relation !== undefined) return w.relation[relation.type](relation.ticket)
  if (attachment !== undefined) return [attachment.name, text].filter(Boolean).join(': ')
  if (disturbances.length > 0) return [disturbances.join(', '), text === 'retracted' ? w.retracted : text.startsWith('merged ') ? w.merged(text.slice('merged '.length)) : text].filter(Boolean).join(': ')
  if (dispute !== undefined) return `${w.disputeKind[dispute]}: ${text}`
  if (clock !== null) return `${w.clockName[clock.name]}: ${w.clockState[clock.state]}`
  if (kind === 'cancelled' && text === 'retracted') return w.retracted
  if (kind === 'cancelled' && text.startsWith('merged ')) return w.merged(text.slice('merged '.length))
  return kind === 'resolved' && text === 'measured' ? w.measuredOnly : text
}

function countsIn(view: LinkView, { devicesSilent, devicesExpected, devicesBad, devicesGood }: NonNullable<Entry['evidence']>): string {
  const { count } = speaker(view)
  return view.words.counts(count(devicesSilent), count(devicesExpected), count(devicesBad), count(devicesGood))
}
