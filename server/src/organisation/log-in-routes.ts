import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Compile } from 'typebox/compile'
import type { Session } from '@kawal/contract/live.ts'
import { PasskeyAssertion, ProviderAnswer, type LogInWays, type ProviderAddress } from '@kawal/contract/log-in.ts'
import { problems } from '@kawal/contract/problem.ts'
import type { Instant } from '@kawal/core/kernel/clock.ts'
import { nameOf, organisationOf } from '@kawal/core/organisation/claims.ts'
import { system, type Database } from '../adapters/postgres/database.ts'
import { bodyOf } from '../body.ts'
import { Attempts } from '../measurement/attempts.ts'
import { ProblemError } from '../problem.ts'
import { agentLabel } from './agent.ts'
import type { Ceremonies } from './ceremony.ts'
import type { Provider } from './oidc.ts'
import { findPasskey, isCopied, logInByPasskey } from './passkeys.ts'
import { findVouched, logInVouched, type VouchedPerson } from './people.ts'
import { giveSession } from './routes.ts'
import { linkActor, logIn } from './sessions.ts'
import { assertionOptions, passkeySite, proveAssertion, type PasskeySite } from './web-authn.ts'

export interface LogInNeeds {
  readonly database: Database
  readonly clock: () => Instant
  readonly ceremonies: Ceremonies
  readonly providers: readonly Provider[]
  /** Where people find the server, as it was told (`--url`). */
  readonly publicUrl: string | undefined
}

/** Log-ins of one address that fail within ten minutes: a whole office may share it. Nothing that a log-in takes can be guessed; this keeps the load down. */
const failures_max = 50
const path = '/v1/session'
const checkAssertion = Compile(PasskeyAssertion)
const checkAnswer = Compile(ProviderAnswer)

type Tried = <T>(request: FastifyRequest, work: () => Promise<T>) => Promise<T>

/** The ways in: a link that works once, a passkey, a provider of OpenID Connect. */
export function logInRoutes(app: FastifyInstance, needs: LogInNeeds): void {
  const { database, clock, publicUrl, providers } = needs
  const failures = new Attempts()
  const tried: Tried = async (request, work) => {
    const wait_s = failures.wait_s(request.ip, failures_max, clock())
    if (wait_s > 0) throw new ProblemError('too_many_attempts', 'Too many log-ins failed from your address. Wait, then try again.', wait_s)
    try {
      return await work()
    } catch (error) {
      if (error instanceof ProblemError && [401, 403].includes(problems[error.code][0])) failures.failed(request.ip, clock())
      throw error
    }
  }
  app.get(`${path}/ways`, (request): LogInWays => ({
    passkey: passkeySite(siteOf(publicUrl, request))?.origin ?? null, providers: providers.map(({ settings: { id, label } }) => ({ id, label })),
  }))
  app.post<{ Body: { token: string } }>(path, { schema: { body: { type: 'object', required: ['token'], properties: { token: { type: 'string', maxLength: 200 } } } } }, (request, reply) => tried(request, async () => {
    const actor = await linkActor(database, request.body.token)
    if (actor !== null) await app.beginAct(request, actor)
    return giveSession(database, request, reply, await logIn(database, request.body.token, clock(), agentOf(request)), clock())
  }))
  byPasskey(app, needs, tried)
  byProvider(app, needs, tried)
}

const agentOf = (request: FastifyRequest): string | null => agentLabel(request.headers['user-agent'])

/**
 * Where this browser finds the server: as it was told, else this machine, by the name that it was asked at. Any other name
 * is the caller's own word.
 */
function siteOf(publicUrl: string | undefined, { hostname, host, protocol }: FastifyRequest): string | null {
  if (publicUrl !== undefined) return publicUrl
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? `${protocol}://${host}` : null
}

/** @throws ProblemError state_conflict where there are no passkeys */
export function passkeySiteOf(publicUrl: string | undefined, request: FastifyRequest): PasskeySite {
  const site = passkeySite(siteOf(publicUrl, request))
  if (site === null) throw new ProblemError('state_conflict', 'There are no passkeys at this address: they belong to a name. Start the server with --url and its name, as https://kawal.example.')
  return site
}

function byPasskey(app: FastifyInstance, { database, clock, ceremonies, publicUrl }: LogInNeeds, tried: Tried): void {
  app.post(`${path}/passkey/options`, async (request, reply) => {
    const options = await assertionOptions(passkeySiteOf(publicUrl, request))
    ceremonies.begin(request, reply, { kind: 'passkey_log_in', challenge: options.challenge })
    return options
  })
  app.post(`${path}/passkey`, (request, reply) => tried(request, async (): Promise<Session> => {
    const given = bodyOf(checkAssertion, request.body)
    const { challenge } = await ceremonies.end(request, reply, 'passkey_log_in')
    const passkey = await findPasskey(database, given.id)
    if (passkey === null) throw new ProblemError('passkey_refused', 'Nobody here has this passkey, or has it any more. Take another, or come in another way.')
    const { id: subject, publicKey, counter, actor } = passkey
    const proven = await proveAssertion(given, passkeySiteOf(publicUrl, request), challenge, publicKey, actor.staff)
    const reason = !proven.ok ? `not proven: ${proven.error}` : isCopied(counter, proven.value) ? `count ${proven.value} after ${counter}: the passkey may have been copied` : null
    await app.beginAct(request, actor, { subject, ...(reason === null ? {} : { reason }) })
    if (!proven.ok) throw new ProblemError('passkey_refused', 'What came from your device does not prove it. Try again.')
    return giveSession(database, request, reply, await logInByPasskey(database, passkey, proven.value, agentOf(request), clock()), clock())
  }))
}

/**
 * A provider sends the browser back to the console, a page that is the same for everybody, and the console hands the
 * answer over by a request of its own. That one is same-site: the ceremony's cookie comes with it though it is
 * SameSite=Strict, the session's is set by its answer, and no other site can log anybody in.
 */
function byProvider(app: FastifyInstance, { database, clock, ceremonies, providers, publicUrl }: LogInNeeds, tried: Tried): void {
  const providerOf = (id: string): Provider | undefined => providers.find(({ settings }) => settings.id === id)
  app.post<{ Params: { provider: string } }>(`${path}/provider/:provider`, async (request, reply): Promise<ProviderAddress> => {
    const provider = providerOf(request.params.provider)
    if (provider === undefined) throw new ProblemError('not_found', 'There is no provider of this name. GET /v1/session/ways lists them.')
    const site = siteOf(publicUrl, request)
    if (site === null) throw new ProblemError('state_conflict', 'A provider sends people back to one address. Start the server with --url, as https://kawal.example.')
    const redirect = `${site}/console/`
    const { url, ...begun } = await provider.begin(redirect)
    ceremonies.begin(request, reply, { kind: 'provider', provider: provider.settings.id, redirect, ...begun })
    return { url }
  })
  app.post(`${path}/provider`, (request, reply) => tried(request, async () => {
    const { query } = bodyOf(checkAnswer, request.body)
    const begun = await ceremonies.end(request, reply, 'provider')
    const provider = providerOf(begun.provider)
    if (provider === undefined) throw new ProblemError('ceremony_over', 'This provider is not asked any more. Begin again.')
    const claims = await provider.finish(new URL(`${begun.redirect}?${query}`), begun)
    return enter(app, database, request, reply, provider, claims, clock())
  }))
}

/** Lets in whom a provider vouches for, where he belongs to an organisation here. */
async function enter(app: FastifyInstance, database: Database, request: FastifyRequest, reply: FastifyReply, { settings }: Provider, claims: Awaited<ReturnType<Provider['finish']>>, now: Instant): Promise<Session> {
  const [name, organisation, identity] = [nameOf(claims, settings.nameClaim), organisationOf(settings, claims), { issuer: claims.iss, subject: claims.sub }]
  const person = organisation.ok ? await findVouched(database, { ...identity, organisation: organisation.value, name }) : null
  const reason = organisation.ok ? whyRefused(person, organisation.value) : mapFaults[organisation.error]
  await app.beginAct(request, person ?? { ...system, role: 'nobody', name }, { subject: settings.id, ...(reason === null ? {} : { reason }) })
  if (person === null || reason !== null) throw new ProblemError('person_refused', `${settings.label} knows you as ${name}; here ${reason}. Ask whoever runs Kawal Sinyal in your organisation.`)
  return giveSession(database, request, reply, await logInVouched(database, person, identity, agentOf(request), now), now)
}

const mapFaults = { no_organisation: 'nothing says to which organisation you belong', several_organisations: 'you belong to several organisations', email_not_verified: 'your e-mail address counts, and nobody has verified it' }

function whyRefused(person: VouchedPerson | null, organisation: string): string | null {
  if (person === null) return `there is no organisation ${organisation}`
  if (person.hasEnded) return 'your access has ended'
  return person.organisation === organisation ? null : `you are of ${person.organisation}, not of ${organisation}`
}
