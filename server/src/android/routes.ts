import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AndroidPublished } from '@kawal/contract/android.ts'
import type { Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { installPage, style } from './page.ts'
import { rangeOf } from './range.ts'
import { listPublished, readContent, readPublished, toldOf, type Published } from './store.ts'

const none = 'This platform hands out no Android app. Sigmon runs in the browser at /sigmon/ too.'
/** The page has no script, loads nothing but its icon, and stands in no frame. */
const security = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

/**
 * Sigmon for Android as the platform hands it out: what phones ask for updates, the file, the page that explains its installation, and whose links it opens. Nobody is asked
 * who he is. Each answer is by the database of the moment: a package is there, or withdrawn, at every server at once.
 * @param publicUrl where people find the server; without it the address that was asked
 */
export function androidHandOut({ database, publicUrl }: { readonly database: Database; readonly publicUrl: string | undefined }): { routes(app: FastifyInstance): void } {
  const content = lastContent(database)
  const present = async (): Promise<Published> => {
    const found = await readPublished(database)
    if (found === null) throw new ProblemError('not_found', none)
    return found
  }
  const versioned = async (code: string): Promise<Published> => {
    const found = (await listPublished(database)).find(({ versionCode }) => String(versionCode) === code)
    if (found === undefined || found.withdrawnAt !== null) throw new ProblemError('not_found', found === undefined ? `There is no version ${code.slice(0, 20)} of Sigmon for Android here. /android/ has the present one.` : `Version ${code} of Sigmon for Android was withdrawn. /android/ has what is handed out now.`)
    return found
  }
  return {
    routes(app) {
      app.get('/v1/android', async (request, reply): Promise<AndroidPublished | FastifyReply> => {
        const told = toldOf(await present())
        const tag = `"${told.sha256.slice(0, 32)}-${told.leaf ?? 'x'}"`
        void reply.headers({ etag: tag, 'cache-control': 'no-cache' })
        return isAmong(request.headers['if-none-match'], tag) ? reply.code(304).send() : told
      })
      app.get('/android', (_, reply) => reply.redirect('/android/'))
      app.get<{ Querystring: { lang?: string } }>('/android/', async (request, reply) => {
        const html = installPage(await readPublished(database), request.query.lang === 'en' ? 'en' : 'id', publicUrl ?? `${request.protocol}://${request.host}`)
        return reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': security, 'cache-control': 'no-cache' }).send(html)
      })
      app.get('/android/sigmon.apk', async (request, reply) => sendPackage(request, reply, await present(), content))
      app.get<{ Params: { code: string } }>('/android/sigmon-:code.apk', async (request, reply) => sendPackage(request, reply, await versioned(request.params.code), content))
      // Digital Asset Links: links to Sigmon, as in the QR of a letter, open the app on phones that have it.
      app.get('/.well-known/assetlinks.json', async (_, reply) => {
        const { application, certificate } = await present()
        void reply.header('cache-control', 'no-cache')
        return [{ relation: ['delegate_permission/common.handle_all_urls'], target: { namespace: 'android_app', package_name: application, sha256_cert_fingerprints: [certificate.toUpperCase().replace(/..(?=.)/g, '$&:')] } }]
      })
    },
  }
}

type Content = (found: Published) => Promise<Buffer>

/** The one that was asked for last stays in memory: everybody asks for the same, and by its hash it is never another. */
function lastContent(database: Database): Content {
  let last: { readonly sha256: string; readonly bytes: Promise<Buffer> } | null = null
  return ({ sha256, versionCode }) => {
    if (last?.sha256 === sha256) return last.bytes
    const bytes = readContent(database, versionCode)
    last = { sha256, bytes }
    bytes.catch(() => (last = null))
    return bytes
  }
}

/** With parts (RFC 9110, section 14): a download that broke off goes on where it was, and never with the bytes of another version. */
async function sendPackage(request: FastifyRequest, reply: FastifyReply, found: Published, content: Content): Promise<FastifyReply> {
  const tag = `"${found.sha256}"`
  const { 'if-match': match, 'if-none-match': noneMatch, 'if-range': ifRange, range } = request.headers
  void reply.headers({ etag: tag, 'cache-control': 'no-cache', 'accept-ranges': 'bytes' })
  if (match !== undefined && !isAmong(match, tag)) throw new ProblemError('version_conflict', `The app was published anew meanwhile: this is version ${found.versionCode}. Fetch it from its beginning.`)
  if (isAmong(noneMatch, tag)) return reply.code(304).send()
  const asked = range === undefined || (ifRange !== undefined && ifRange !== tag) ? null : rangeOf(range, found.bytes)
  if (asked === 'outside') return reply.code(416).header('content-range', `bytes */${found.bytes}`).send()
  void reply.headers({ 'content-type': 'application/vnd.android.package-archive', 'content-disposition': `attachment; filename="sigmon-${found.versionCode}.apk"` })
  const bytes = await content(found)
  if (asked === null) return reply.send(bytes)
  return reply.code(206).header('content-range', `bytes ${asked.from}-${asked.to}/${found.bytes}`).send(bytes.subarray(asked.from, asked.to + 1))
}

const isAmong = (tags: string | undefined, tag: string): boolean => tags !== undefined && (tags.trim() === '*' || tags.split(',').some((each) => each.trim().replace(/^W\//, '') === tag))
