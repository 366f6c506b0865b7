import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { roleOfKind, scopeOf } from '@kawal/core/organisation/rules.ts'
import type { Refusal, Ticket } from '@kawal/core/ticket/ticket.ts'
import { problems } from '@kawal/contract/problem.ts'
import { system, type Caller } from '../adapters/postgres/database.ts'
import type { BeginAct } from '../organisation/audit.ts'
import { allowed, pauseOf, problemOf, ProblemError } from '../problem.ts'
import type { TicketRouteNeeds } from './act.ts'
import { actionOf, disputeKindOf, isLinkAct, linkPolicy, plainPage, ticketPage, type LinkView } from './link-page.ts'
import { readLinkToken, type TicketLink } from './link.ts'
import { linkWords, type LinkWords } from './link-words.ts'
import { localTime } from './local-time.ts'
import { command, getTicket } from './tickets.ts'

type LinkNeeds = Pick<TicketRouteNeeds, 'database' | 'clock' | 'changed' | 'secret'> & { readonly beginAct: BeginAct }

/** 2,000 characters of any script: three bytes each, of which a form makes nine. */
const form_bytes_max = 20_000
const form_type = 'application/x-www-form-urlencoded'

/** Fastify gives no parameter of a path more than 100 characters; what follows a star may be longer, as a token of long names is. */
const path = '/t/*'
interface Route { Params: { '*': string }; Querystring: Record<string, unknown> }
type Asked = FastifyRequest<Route>

/**
 * One ticket on one page, for who was sent a link to it and has no system of his own: HTML and forms, no script.
 * Looking at it changes nothing, for scanners of mail open links too. What a form says goes the way of every command,
 * with the role of the link's organisation and the version that its page was made of.
 */
export function ticketLinks(needs: LinkNeeds): FastifyPluginAsync {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(form_type, { parseAs: 'string', bodyLimit: form_bytes_max }, (_, body, done) => done(null, new URLSearchParams(String(body))))
    app.addHook('onSend', async (_, reply) => {
      void reply.headers({ 'content-security-policy': linkPolicy, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-robots-tag': 'noindex', 'x-content-type-options': 'nosniff', vary: 'accept-language' })
    })
    answerWithPages(app)

    app.get<Route>(path, async (request, reply) => {
      const words = wordsFor(request)
      const found = await follow(needs, request)
      if (found === null) return gone(reply, words)
      const said = String(request.query['said'])
      return send(reply, 200, ticketPage(await viewOf(needs, found, words, isLinkAct(said) ? words.said[said] : null)))
    })

    app.post<Route>(path, async (request, reply) => {
      const words = wordsFor(request)
      const found = await follow(needs, request)
      if (found === null) return gone(reply, words)
      await needs.beginAct(request, { ...found.caller, contact: found.link.contact }, { subject: found.ticket.id, ...reasonIn(request.body) })
      return answer(needs, request, reply, words, found)
    })
  }
}

interface Found { readonly link: TicketLink; readonly caller: Caller; readonly ticket: Ticket }

/**
 * The ticket behind a link, as its organisation sees it.
 * @returns null when the link is none of ours or over, when whoever it was sent to is a contact no more, or the ticket is not that organisation's
 */
async function follow({ secret, clock, database }: LinkNeeds, request: Asked): Promise<Found | null> {
  const link = readLinkToken(secret, request.params['*'], clock())
  if (link === null) return null
  const { rows: [row] } = await database.transaction(system, (client) => client.query<{ kind: string }>(
    "SELECT kind FROM organisation JOIN contact ON contact.organisation_id = organisation.id WHERE organisation.id = $1 AND contact.id = $2 AND kind <> 'system'", [link.organisation, link.contact]))
  const role = row === undefined ? undefined : roleOfKind[row.kind]
  if (role === undefined) return null
  const caller = { organisation: link.organisation, role }
  const ticket = await getTicket({ database, clock }, caller, link.ticket)
  // Who may see everybody's tickets does not answer for them.
  return ticket === null || ticket.operator !== link.organisation ? null : { link, caller, ticket }
}

async function viewOf({ clock, database }: LinkNeeds, { ticket, caller }: Found, words: LinkWords, notice: string | null, typed: LinkView['typed'] = null): Promise<LinkView> {
  const { rows } = await database.pool.query<{ id: string; name: string }>('SELECT id, name FROM organisation WHERE id = ANY ($1)', [[...new Set([...ticket.history.map(({ by }) => by), ...(ticket.dispute === undefined ? [] : [ticket.dispute.by])])]])
  return { ticket, now: clock(), words, mayAnswer: scopeOf(caller.role, 'ticket', 'write') !== null, notice, names: new Map(rows.map(({ id, name }) => [id, name])), typed }
}

/** Does what a form says; then back to the page, so that to load it again sends nothing again. */
async function answer(needs: LinkNeeds, request: Asked, reply: FastifyReply, words: LinkWords, found: Found): Promise<FastifyReply> {
  const form = request.body
  const act = form instanceof URLSearchParams ? form.get('act') ?? '' : ''
  if (!(form instanceof URLSearchParams) || !isLinkAct(act)) throw new ProblemError('body_invalid', 'This is not the form of the page.')
  const text = typedIn(form)
  const refuse = async (wrong: Wrong): Promise<FastifyReply> => {
    const now = await follow(needs, request)
    return now === null ? gone(reply, words) : send(reply, problems[statusOf[wrong]][0], ticketPage(await viewOf(needs, now, words, words.wrong[wrong], { act, text })))
  }
  const expectedAt = act === 'estimate' ? localTime(found.ticket, text) : 0
  const version = Number(form.get('version'))
  if (expectedAt === null || (act === 'estimate' && expectedAt <= needs.clock())) return refuse(version === found.ticket.version ? 'time' : 'version_conflict')
  const done = await allowed(() => command(needs, found.caller, found.ticket.id, actionOf(act, text, expectedAt, disputeKindOf(form.get('kind'))), version))
  if (!done.ok) return done.error === 'not_found' ? gone(reply, words) : refuse(wrongOf(done.error))
  // Of a ticket's history the organisation is who speaks; which of its people had the link is in the audit.
  needs.changed(done.value.id)
  return reply.code(303).header('location', `?${new URLSearchParams({ said: act, lang: words.lang })}`).send()
}

/** Of the acts one gives a reason; the others' texts are said on the ticket. */
const reasonIn = (form: unknown): { reason?: string } => (form instanceof URLSearchParams && form.get('act') === 'hold' ? { reason: typedIn(form) } : {})

/** PostgreSQL's JSON holds no U+0000; a form parts lines with CR and LF, and counts them as one. */
const typedIn = (form: URLSearchParams): string => (form.get('text') ?? '').replaceAll('\0', '').replaceAll('\r\n', '\n').trim()

type Wrong = keyof LinkWords['wrong']
const statusOf: Readonly<Record<Wrong, keyof typeof problems>> = {
  version_conflict: 'version_conflict', not_from_this_status: 'state_conflict', not_yours_to_say: 'not_allowed', reason_missing: 'body_invalid', text_too_long: 'body_invalid', time: 'body_invalid',
}
const wrongOf = (refusal: Refusal): Wrong => (refusal in statusOf ? refusal as Wrong : 'not_from_this_status')

const send = (reply: FastifyReply, status: number, page: string): FastifyReply => reply.code(status).type('text/html; charset=utf-8').send(page)
const gone = (reply: FastifyReply, words: LinkWords): FastifyReply => send(reply, 404, plainPage(words, words.gone, words.goneHow))

/** Bahasa Indonesia, unless the address or the browser asks for English first. */
function wordsFor(request: FastifyRequest): LinkWords {
  const { lang } = request.query as Record<string, unknown>
  if (lang === 'id' || lang === 'en') return linkWords[lang]
  return linkWords[preferred(request.headers['accept-language'] ?? '')]
}

/** By RFC 9110, section 12.5.4: the language of ours with the greatest weight; of two alike the one named first. */
function preferred(header: string): 'id' | 'en' {
  const ranges = header.split(',').map((range) => {
    const [tag = '', ...more] = range.trim().toLowerCase().split(/\s*;\s*/)
    const weight = Number(more.find((each) => each.startsWith('q='))?.slice(2) ?? 1)
    // `in` is what Java called Bahasa Indonesia, and old Androids still do
    return { language: tag.split('-')[0] === 'in' ? 'id' : tag.split('-')[0], weight }
  })
  const best = ranges.filter(({ language, weight }) => (language === 'id' || language === 'en') && weight > 0).toSorted((a, b) => b.weight - a.weight)[0]
  return best?.language === 'en' ? 'en' : 'id'
}

/** What goes wrong is told on a page too, with what to do; the log has the rest. */
function answerWithPages(app: FastifyInstance): void {
  app.setErrorHandler((error: Error & { statusCode?: number; code?: unknown }, request, reply) => {
    const found = problemOf(error, request.id)
    const words = wordsFor(request)
    if (found.status >= 500) request.log.error(error)
    const pause_s = pauseOf(error, found)
    if (pause_s !== undefined) void reply.header('retry-after', pause_s)
    const [title, how] = found.code === 'too_large' ? [words.tooLarge, words.tooLargeHow] : found.status >= 500 ? [words.fault, words.faultHow(request.id)] : [words.notForm, words.notFormHow]
    return send(reply, error.statusCode === 415 ? 415 : found.status, plainPage(words, title, how))
  })
}
