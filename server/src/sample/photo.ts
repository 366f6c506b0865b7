import type { FastifyReply } from 'fastify'
import type { Caller, Database } from '../adapters/postgres/database.ts'
import { ProblemError } from '../problem.ts'
import { photoFiles } from '../recap/photo-files.ts'
import { createPhotoStore, type PhotoId } from '../recap/photo-store.ts'
import { sendFile } from '../file.ts'

/** A browser shows these, told by their first bytes and not by a name; anything else is saved. */
const kinds: readonly (readonly [mimeType: string, isIt: (bytes: Uint8Array) => boolean])[] = [
  ['image/jpeg', (bytes) => startsWith(bytes, [0xff, 0xd8, 0xff])],
  ['image/png', (bytes) => startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['image/webp', (bytes) => startsWith(bytes, [0x52, 0x49, 0x46, 0x46]) && startsWith(bytes.subarray(8), [0x57, 0x45, 0x42, 0x50])],
]
/** At once in memory, of up to 50 MB each. */
const reads_max = 4
const pause_s = 2

/** Photos of forms for people: those that are here whole, of records that the caller may see. */
export function createPhotoReader(database: Database, folder: string) {
  const store = createPhotoStore(photoFiles(folder))
  let reading = 0
  return async (reply: FastifyReply, caller: Caller, name: string): Promise<FastifyReply> => {
    const [, sha256 = '', size = ''] = /^([0-9a-f]{64})-([1-9][0-9]{0,7})$/.exec(name) ?? []
    const photo: PhotoId = { sha256, size: Number(size) }
    // By the records that name it, so that who may not see these does not see it either.
    const kept = sha256 === '' ? null : await database.transaction(caller, async (client) => (await client.query<{ kept: boolean }>(
      'SELECT kept_at IS NOT NULL AS kept FROM photo JOIN photo_place USING (sha256, size) JOIN recap ON recap.photos = list WHERE photo.sha256 = $1 AND photo.size = $2 LIMIT 1', [Buffer.from(sha256, 'hex'), photo.size])).rows[0] ?? null)
    if (kept === null) throw new ProblemError('not_found', 'No record that you may see names this photo. It is asked for by its hash and size: 64 digits of hex, a hyphen, bytes.')
    if (!kept.kept) throw new ProblemError('not_ready', 'The photo is not here yet: the phone that took it has it, and sends it when Sigmon is open where there is a network.')
    if (reading >= reads_max) throw new ProblemError('overloaded', 'Others look at photos just now. Ask again in a moment.', pause_s)
    reading++
    try {
      const bytes = Buffer.from(await store.read(photo, 0, photo.size))
      const mimeType = kinds.find(([, isIt]) => isIt(bytes))?.[0] ?? 'application/octet-stream'
      return sendFile(reply, { name: `${sha256.slice(0, 12)}.${mimeType.replace(/^.*\//, '').replace('jpeg', 'jpg').replace('octet-stream', 'bin')}`, mimeType, content: bytes, sha256: Buffer.from(sha256, 'hex') })
    } finally {
      reading--
    }
  }
}

const startsWith = (bytes: Uint8Array, magic: readonly number[]): boolean => magic.every((byte, at) => bytes[at] === byte)
