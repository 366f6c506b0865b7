import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { file_bytes_max, type GivenFile } from '@kawal/contract/file.ts'
import { ProblemError } from './problem.ts'

/** What somebody attached, as it is kept. */
export interface KeptFile {
  readonly name: string
  readonly mimeType: string
  readonly content: Buffer
  readonly sha256: Buffer
}

/** What a browser shows and cannot be led astray by; everything else is saved. */
const shown: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'text/plain'])
/** In fours. A group that repeats would overflow the stack at 5 MiB. */
const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text)

/**
 * Reads a file that came in JSON.
 * @param place where it stands in the body, for who has to mend it
 * @throws ProblemError body_invalid for what is no base64, empty, or larger than 5 MiB
 */
export function fileOf({ name, mimeType, content: text }: GivenFile, place: string): KeptFile {
  if (!isBase64(text)) throw new ProblemError('body_invalid', `${place}: the content is no base64 (RFC 4648, section 4).`)
  const content = Buffer.from(text, 'base64')
  if (content.length === 0 || content.length > file_bytes_max) throw new ProblemError('body_invalid', `${place}: ${content.length} bytes. A file has 1 to ${file_bytes_max}: make a photo smaller, or send the rest as another.`)
  // A name is shown and saved by: no folders, nothing that cannot be printed.
  const plain = name.replace(/^.*[\\/]/, '').replace(/\p{C}/gu, '').trim()
  if (plain === '' || plain === '.' || plain === '..') throw new ProblemError('body_invalid', `${place}: the file has no name.`)
  return { name: plain, mimeType: mimeType.toLowerCase(), content, sha256: createHash('sha256').update(content).digest() }
}

/** Sends a kept file. What is not known to be harmless is never shown in a page of ours. */
export function sendFile(reply: FastifyReply, { name, mimeType, content, sha256 }: KeptFile): FastifyReply {
  const isShown = shown.has(mimeType)
  return reply.headers({
    'content-type': isShown ? (mimeType === 'text/plain' ? 'text/plain; charset=utf-8' : mimeType) : 'application/octet-stream',
    'content-disposition': `${isShown ? 'inline' : 'attachment'}; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
    'content-security-policy': "default-src 'none'; sandbox", 'x-content-type-options': 'nosniff', 'cache-control': 'private, max-age=86400, immutable', etag: `"${sha256.toString('hex').slice(0, 32)}"`,
  }).send(content)
}
