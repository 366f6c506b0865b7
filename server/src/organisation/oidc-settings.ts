import { readFileSync } from 'node:fs'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { faultsOf } from '../body.ts'

const Id = Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$', maxLength: 64 })
const text = (chars_max: number) => Type.String({ minLength: 1, maxLength: chars_max })

/** A provider of OpenID Connect, and whom it vouches for (`kawal serve --oidc FILE`). */
const ProviderGiven = Type.Object({
  id: Id, label: text(60), issuer: text(300), clientId: text(300),
  clientSecret: Type.Optional(text(1_000)), clientSecretFile: Type.Optional(text(1_000)),
  scope: Type.Optional(text(300)), nameClaim: Type.Optional(text(100)),
  organisation: Type.Optional(Id), organisationClaim: Type.Optional(text(200)), organisations: Type.Optional(Type.Record(Type.String(), Id, { minProperties: 1, maxProperties: 5_000 })),
}, { additionalProperties: false })
const checkGiven = Compile(Type.Object({ providers: Type.Array(ProviderGiven, { minItems: 1, maxItems: 20 }) }, { additionalProperties: false }))

/** With the secret read; null for a client that has none. */
export type ProviderSettings = Omit<Static<typeof ProviderGiven>, 'clientSecret' | 'clientSecretFile'> & { readonly clientSecret: string | null }

/** Why a file of providers cannot be used: what is wrong, where, how to mend it; up to five of them, a line each. */
export class OidcRefused extends Error {}

/** @param json the file's text. @throws OidcRefused */
export function readOidcSettings(json: string): ProviderSettings[] {
  let given: unknown
  try {
    given = JSON.parse(json)
  } catch (error) {
    throw new OidcRefused(`It is not JSON: ${(error as Error).message}. See docs/operating/log-in.md for an example.`)
  }
  if (!checkGiven.Check(given)) throw new OidcRefused(`${faultsOf(checkGiven, given)}. docs/operating/log-in.md names the fields.`)
  const { providers } = given
  const faults = [...providers.flatMap(faultsIn), ...providers.flatMap(({ id }, at) => (providers.findIndex((each) => each.id === id) < at ? [`/providers/${at}: ${id} is there twice. Give each provider its own id.`] : []))]
  if (faults.length > 0) throw new OidcRefused(faults.slice(0, 5).join('\n'))
  return providers.map(({ clientSecret, clientSecretFile, ...provider }, at) => ({ ...provider, clientSecret: clientSecretFile === undefined ? (clientSecret ?? null) : secretIn(clientSecretFile, at) }))
}

function faultsIn({ issuer, clientSecret, clientSecretFile, organisation, organisationClaim, organisations }: Static<typeof ProviderGiven>, at: number): string[] {
  const place = `/providers/${at}`
  const byClaim = organisationClaim !== undefined || organisations !== undefined
  return [
    ...issuerFaults(issuer).map((fault) => `${place}/issuer ${fault}`),
    ...(clientSecret !== undefined && clientSecretFile !== undefined ? [`${place} has clientSecret and clientSecretFile. Leave one out.`] : []),
    ...(organisation !== undefined && byClaim ? [`${place} has organisation and organisationClaim or organisations. Leave organisation out, or both of the others.`] : []),
    ...(organisation === undefined && (organisationClaim === undefined || organisations === undefined) ? [`${place} does not say whose people they are: give organisation for one, or organisationClaim and organisations.`] : []),
    ...[organisation, ...Object.values(organisations ?? {})].flatMap((each) => (each === 'kawal' ? [`${place} maps to kawal, which is the platform itself. Choose an organisation.`] : [])),
    ...(organisationClaim === 'email' ? Object.keys(organisations ?? {}).flatMap((domain) => (/^[a-z0-9.-]+$/.test(domain) ? [] : [`${place}/organisations: ${domain} is no domain. Of email it takes what stands behind the @, in lower case.`])) : []),
  ]
}

/** Whoever can read the way to a provider can log in as anybody: without TLS on this machine alone. */
function issuerFaults(issuer: string): string[] {
  if (!URL.canParse(issuer)) return [`is no address: ${issuer}. It takes the provider's issuer, as https://sso.example/realms/noc.`]
  const { protocol, hostname, search, hash } = new URL(issuer)
  if (search !== '' || hash !== '') return ['has a query or a fragment. An issuer has none (OpenID Connect Core 1.0, section 2).']
  if (protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))) return []
  return [`is ${issuer}: give one with https. http is taken on this machine alone.`]
}

function secretIn(path: string, at: number): string {
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new OidcRefused(`/providers/${at}/clientSecretFile cannot be read: ${(error as Error).message}`)
  }
  if (secret === '') throw new OidcRefused(`/providers/${at}/clientSecretFile: ${path} is empty. Put the client's secret into it.`)
  return secret
}
