import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'
import { createCookieClient } from './cookie-client.ts'

export interface TestProvider {
  readonly issuer: string
  /** Who logs in there from now on; the claims that the provider gives of him. */
  who: { sub: string; [claim: string]: unknown }
  /** Answers nothing but 503 while true. */
  down: boolean
  /** The addresses that its client may send people back to; before that it knows none. */
  serve(redirects: readonly string[]): void
  /** Logs in as `who` at the address that was given. @returns the query that the browser is sent back with */
  visit(url: string): Promise<string>
  close(): Promise<void>
}

export const client = { id: 'kawal', secret: 'rahasia-kawal' }

/** A real provider of OpenID Connect on loopback, whose one user never has to type anything. */
export async function startProvider(): Promise<TestProvider> {
  let provider: Provider | null = null
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kit: TestProvider = {
    issuer, who: { sub: 'nobody' }, down: false,
    serve(redirects) {
      provider = providerOf(issuer, redirects, (sub) => (sub === kit.who.sub ? kit.who : { sub }))
    },
    async visit(url) {
      const browser = createCookieClient(issuer)
      for (let [at, hops] = [url, 0]; hops < 10; hops++) {
        const reply = await browser.send('GET', at)
        const next = reply.headers.get('location')
        if (next === null) throw new Error(`the provider answered ${reply.status} at ${at}: ${await reply.text()}`)
        at = new URL(next, issuer).href
        if (!at.startsWith(issuer)) return new URL(at).search.slice(1)
      }
      throw new Error('the provider sends the browser around in circles')
    },
    close: () => new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (provider === null || kit.down) return void response.writeHead(503).end()
    if (request.url?.startsWith('/interaction/') !== true) return provider.callback()(request, response)
    await provider.interactionDetails(request, response)
    await provider.interactionFinished(request, response, { login: { accountId: kit.who.sub } })
  }
  return kit
}

function providerOf(issuer: string, redirects: readonly string[], claimsOf: (sub: string) => { sub: string; [claim: string]: unknown }): Provider {
  const key = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' })
  return new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [...redirects], grant_types: ['authorization_code'], response_types: ['code'] }],
    jwks: { keys: [{ ...key, kty: 'RSA', alg: 'RS256', use: 'sig', kid: 'one' }] }, cookies: { keys: [randomBytes(32).toString('hex')] },
    claims: { profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] }, scopes: ['openid', 'profile', 'email', 'groups'],
    features: { devInteractions: { enabled: false } }, interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => claimsOf(sub) }),
    // Whoever logs in agrees to all that is asked.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client?.clientId, accountId: oidc.session?.accountId })
      grant.addOIDCScope('openid profile email groups')
      await grant.save()
      return grant
    },
  })
}
