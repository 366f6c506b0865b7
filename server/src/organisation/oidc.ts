import * as oidc from 'openid-client'
import type { Claims } from '@kawal/core/organisation/claims.ts'
import { ProblemError } from '../problem.ts'
import type { ProviderSettings } from './oidc-settings.ts'

/** What was sent to a provider, and must come back from it. */
interface Begun {
  /** Where the browser goes. */
  readonly url: string
  readonly state: string
  readonly nonce: string
  /** PKCE's (RFC 7636). */
  readonly verifier: string
}

export interface Provider {
  readonly settings: ProviderSettings
  /** @param redirect where the provider sends the browser back to. @throws ProblemError provider_silent */
  begin(redirect: string): Promise<Begun>
  /**
   * Takes the provider's answer for the claims that it vouches for.
   * @param answer the whole address that the browser came back to
   * @throws ProblemError provider_refused, provider_silent
   */
  finish(answer: URL, begun: Omit<Begun, 'url'>): Promise<Claims & { readonly sub: string; readonly iss: string }>
}

/** Nobody waits longer for a provider that does not answer. */
const timeout_s = 5

/**
 * A provider is asked for its addresses when the first person goes there, and again at the next one where that failed: one
 * that is down holds up neither the start nor any other way in. Times in its answers are held against this machine's clock.
 * @param failed hears why, for the log
 */
export function openProvider(settings: ProviderSettings, failed: (error: unknown) => void): Provider {
  let found: Promise<oidc.Configuration> | null = null
  const configuration = (): Promise<oidc.Configuration> => (found ??= discover(settings).catch((error: unknown) => {
    found = null
    failed(error)
    throw silent(settings)
  }))
  return {
    settings,
    async begin(redirect) {
      const there = await configuration()
      const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()]
      const url = oidc.buildAuthorizationUrl(there, {
        redirect_uri: redirect, scope: settings.scope ?? 'openid profile email', state, nonce, code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      })
      return { url: url.href, state, nonce, verifier }
    },
    async finish(answer, { state, nonce, verifier }) {
      const there = await configuration()
      try {
        const tokens = await oidc.authorizationCodeGrant(there, answer, { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true })
        const claims = tokens.claims()
        if (claims === undefined) throw new Error('an ID token that is expected is there')
        // Many tell groups and addresses here alone (OpenID Connect Core 1.0, section 5.3). The ID token's word comes first.
        const more = there.serverMetadata().userinfo_endpoint === undefined ? {} : await oidc.fetchUserInfo(there, tokens.access_token, claims.sub)
        return { ...more, ...claims }
      } catch (error) {
        failed(error)
        throw refusalOf(settings, error)
      }
    },
  }
}

function discover({ issuer, clientId, clientSecret }: ProviderSettings): Promise<oidc.Configuration> {
  const url = new URL(issuer)
  return oidc.discovery(url, clientId, undefined, authenticationOf(clientSecret), {
    timeout: timeout_s,
    // Signatures are verified also of what came over TLS from the provider itself.
    execute: [oidc.enableNonRepudiationChecks, ...(url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [])],
  })
}

/** Basic is what every provider takes that says nothing else (OpenID Connect Discovery 1.0, section 3). */
function authenticationOf(secret: string | null): oidc.ClientAuth {
  if (secret === null) return oidc.None()
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)]
  return (server, client, body, headers) => ((server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']).includes('client_secret_basic') ? basic : post)(server, client, body, headers)
}

const silent = ({ label }: ProviderSettings): ProblemError => new ProblemError('provider_silent', `${label} cannot be reached just now. Try again, or come in another way.`)

/** What the library throws: OAuth's own errors bear a code of the standard, what did not fit a code of the library, and a network that failed is a TypeError of fetch. */
function refusalOf(settings: ProviderSettings, error: unknown): unknown {
  const refused = (why: string): ProblemError => new ProblemError('provider_refused', `${settings.label}: ${why}. Begin again.`)
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError) return refused(error.error)
  if (error instanceof TypeError || (error instanceof oidc.ClientError && error.code === 'OAUTH_TIMEOUT')) return silent(settings)
  return error instanceof oidc.ClientError || error instanceof oidc.WWWAuthenticateChallengeError ? refused(error.code ?? error.message) : error
}
