import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** The page that verifies receipts (verify/), with a policy in it: whom whoever opens it is to believe. */
interface VerifyPage {
  readonly html: Buffer
  /** SHA-256 of the file, hex: to be published apart from it. */
  readonly sha256: string
  /** What the page itself says that it may do. */
  readonly security: string
}

const built = join(import.meta.dirname, '../../../verify/dist/index.html')
const place = '<script id="trust" type="application/json">null</script>'

/**
 * @param policy as C2SP tlog-policy has it; empty for a page that believes nobody until it is told
 * @returns null where the page is not built
 */
export function verifyPage(policy: string, file = built): VerifyPage | null {
  if (!existsSync(file)) return null
  const text = readFileSync(file, 'utf8')
  const [, security = ''] = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text) ?? []
  if (!text.includes(place) || security === '') throw new Error(`${file} is not the page that verifies: build it anew`)
  // What is data is no script, and needs no hash in the policy of the page; it must not end its own element.
  const html = Buffer.from(text.replace(place, () => place.replace('null', () => JSON.stringify(policy).replaceAll('<', '\\u003c'))))
  return { html, security, sha256: createHash('sha256').update(html).digest('hex') }
}

/**
 * At `/verify/`; as a file to keep at `/verify/periksa.html`, the same bytes. What the platform hands out trusts the platform's own log: who does not trust the
 * platform takes a page from somebody else.
 * @param key `NAME+ID+KEY` of the ledger; null where none is open
 * @param policy the ledger and its witnesses; null where none are asked
 */
export function verifyPageRoutes(app: FastifyInstance, { key, policy }: { readonly key: string | null; readonly policy: string | null }): void {
  const page = verifyPage(policy ?? (key === null ? '' : `log ${key}\nquorum none\n`))
  if (page === null) return
  const small = gzipSync(page.html, { level: 9 })
  const send = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const isSmall = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
    return reply.headers({
      'content-type': 'text/html; charset=utf-8', 'content-security-policy': `${page.security}; frame-ancestors 'none'`, 'cache-control': 'no-cache', vary: 'accept-encoding', etag: `"${page.sha256}"`,
      ...(isSmall ? { 'content-encoding': 'gzip' } : {}),
    }).send(isSmall ? small : page.html)
  }
  app.get('/verify', (_, reply) => reply.redirect('/verify/'))
  app.get('/verify/', send)
  app.get('/verify/periksa.html', (request, reply) => send(request, reply.header('content-disposition', 'attachment; filename="periksa.html"')))
}
