import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { photo_bytes_max } from '@kawal/core/recap/photo.ts'
import { FsyncFailed } from '../durable.ts'
import { ProblemError } from '../problem.ts'
import { OffsetConflict, PhotoOther, PhotoTooLong, UploadLocked, type PhotoId, type PhotoStore } from './photo-store.ts'
import type { PhotoLists } from './photos.ts'

interface PhotoNeeds {
  readonly lists: PhotoLists
  /** @throws ProblemError for whom nothing is done */
  readonly admit: (request: FastifyRequest) => unknown
  readonly clock: () => number
  readonly store: PhotoStore
  readonly fatal: (error: unknown) => void
}

const version = '1.0.0'
const offset_type = 'application/offset+octet-stream'
/** Each holds up to 256 KB in memory. Records are small, go another way, and wait for none of them. */
const uploads_max = 512
const pause_s = 10
/** Some 100 bytes each. */
const awaited_max = 4_096

/**
 * Resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), core and creation. An upload's address is its content: hash and
 * size, so that who lost the answer of its creation asks at the same address, and the same photo is sent once whoever carries it.
 */
export function photoRoutes(app: FastifyInstance, { lists, admit, clock, store, fatal }: PhotoNeeds): void {
  let uploads = 0
  app.addHook('onClose', () => store.close())
  app.addContentTypeParser(offset_type, (_, payload, parsed) => parsed(null, payload))

  const begin = (request: FastifyRequest, reply: FastifyReply): void => {
    void reply.header('tus-resumable', version)
    admit(request)
    if (request.headers['tus-resumable'] === version) return
    void reply.header('tus-version', version)
    throw new ProblemError('tus_version', `Send Tus-Resumable: ${version}.`)
  }
  const { named, keep } = createAwaited(lists, clock)

  app.options('/v1/photos', (_, reply) => reply.code(204).headers({ 'tus-resumable': version, 'tus-version': version, 'tus-extension': 'creation', 'tus-max-size': photo_bytes_max }).send())

  app.post('/v1/photos', async (request, reply) => {
    begin(request, reply)
    const photo = photoOf(`${metadataOf(request)['sha256'] ?? ''}-${String(request.headers['upload-length'])}`)
    if (photo === null) throw new ProblemError('body_invalid', 'Send Upload-Length, and Upload-Metadata with sha256: the hash as 64 digits of hex, in base64 as tus has it.')
    await named(photo)
    return reply.code(201).header('location', `/v1/photos/${photo.sha256}-${photo.size}`).send()
  })

  app.head<{ Params: { photo: string } }>('/v1/photos/:photo', async (request, reply) => {
    begin(request, reply)
    const photo = known(request.params.photo)
    const { isKept } = await named(photo)
    const offset = isKept ? photo.size : await store.offset(photo).catch((error: unknown) => refuse(error, reply, fatal))
    if (!isKept) await keep(photo, offset)
    return reply.code(200).headers({ 'upload-offset': offset, 'upload-length': photo.size, 'cache-control': 'no-store' }).send()
  })

  app.patch<{ Params: { photo: string } }>('/v1/photos/:photo', async (request, reply) => {
    begin(request, reply)
    const photo = known(request.params.photo)
    const from = Number(request.headers['upload-offset'] ?? Number.NaN)
    if (!Number.isSafeInteger(from) || from < 0) throw new ProblemError('body_invalid', 'Send Upload-Offset: how many bytes are there already, as HEAD says.')
    const { isKept } = await named(photo)
    if (isKept) {
      if (from !== photo.size) refuse(new OffsetConflict(photo.size), reply, fatal)
      return reply.code(204).header('upload-offset', photo.size).send()
    }
    if (uploads >= uploads_max) throw new ProblemError('overloaded', 'More photos come than can be taken: send it again after the pause given in Retry-After. Records are taken all the same.', pause_s)
    uploads++
    try {
      const { offset, broken } = await store.append(photo, from, request.body as AsyncIterable<Buffer>).catch(async (error: unknown) => {
        // All may be there since a stop: who is told so does not ask again.
        if (error instanceof OffsetConflict) await keep(photo, error.offset)
        return refuse(error, reply, fatal)
      })
      await keep(photo, offset)
      // Nobody hears it: the line is gone.
      if (broken !== null) request.log.debug({ err: broken, offset }, 'an upload broke off')
      return await reply.code(204).header('upload-offset', offset).send()
    } finally {
      uploads--
    }
  })
}

/** Photos that a list names, which is for ever, and that are not known to be whole: their pieces need not be asked for each time. */
function createAwaited(lists: PhotoLists, clock: () => number) {
  const awaited = new Set<string>()
  const idOf = ({ sha256, size }: PhotoId): string => `${sha256}-${size}`
  return {
    /** @throws ProblemError where no list names it */
    async named(photo: PhotoId): Promise<{ readonly isKept: boolean }> {
      if (awaited.has(idOf(photo))) return { isKept: false }
      const found = await lists.find(photo)
      if (found === null) throw new ProblemError('photo_unexpected', 'Send the record that it belongs to, then its list of photos (PUT /v1/recaps/HASH/photos), then the photo.')
      if (found.isKept) return found
      if (awaited.size >= awaited_max) awaited.delete(awaited.values().next().value as string)
      awaited.add(idOf(photo))
      return found
    },
    async keep(photo: PhotoId, offset: number): Promise<void> {
      if (offset !== photo.size) return
      await lists.markKept(photo, clock())
      awaited.delete(idOf(photo))
    },
  }
}

function refuse(error: unknown, reply: FastifyReply, fatal: (error: unknown) => void): never {
  if (error instanceof FsyncFailed) fatal(error)
  if (error instanceof OffsetConflict) {
    void reply.header('upload-offset', error.offset)
    throw new ProblemError('offset_conflict', `${error.offset} bytes are there: go on from there.`)
  }
  if (error instanceof UploadLocked) throw new ProblemError('upload_locked', 'Another request brings bytes of this photo. Ask again in a few seconds how many are there.', 1)
  if (error instanceof PhotoTooLong) throw new ProblemError('too_large', 'More bytes came than the photo has by its list.')
  if (error instanceof PhotoOther) throw new ProblemError('photo_other', 'All bytes came, and their hash is another than the one in the list: they were changed on the way, or it is another photo. Send it again from the beginning.')
  throw error
}

function known(text: string): PhotoId {
  const photo = photoOf(text)
  if (photo === null) throw new ProblemError('not_found', 'A photo is asked for by its hash and its size: 64 digits of hex, a hyphen, bytes.')
  return photo
}

function photoOf(text: string): PhotoId | null {
  const [, sha256, size] = /^([0-9a-f]{64})-([1-9][0-9]{0,7})$/.exec(text) ?? []
  return sha256 === undefined || Number(size) > photo_bytes_max ? null : { sha256, size: Number(size) }
}

/** `name base64, name base64`: values are bytes, here text. */
function metadataOf(request: FastifyRequest): Readonly<Record<string, string>> {
  const text = String(request.headers['upload-metadata'] ?? '')
  return Object.fromEntries(text.split(',').map((pair) => pair.trim().split(' ')).map(([name = '', value = '']) => [name, Buffer.from(value, 'base64').toString('latin1')]))
}
