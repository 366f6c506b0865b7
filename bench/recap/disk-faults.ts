import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { list_type } from '@kawal/contract/handing-in.ts'
import { writePhotos } from '@kawal/core/recap/photo.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import type { History } from './history.ts'
import type { Kit } from './kit.ts'
import { exchange, recapRequest, requestOf } from './wire.ts'

type Call = 'datasync' | 'writev' | 'writeFile'
type Handles = Record<Call, (...given: never[]) => Promise<unknown>>

/** What the disk does: which call of Node's own file handles fails, how, and which one of them. */
const faults: readonly { readonly call: Call; readonly code: 'EIO' | 'ENOSPC'; readonly isFatal: boolean }[] = [
  { call: 'datasync', code: 'EIO', isFatal: true }, { call: 'writev', code: 'ENOSPC', isFatal: false }, { call: 'writev', code: 'EIO', isFatal: false },
  { call: 'writeFile', code: 'ENOSPC', isFatal: false }, { call: 'writeFile', code: 'EIO', isFatal: false },
]
/** The first such call in a request fails, or the second, or the third. */
const nths = [1, 2, 3]
const rounds = 4

/**
 * The disk is full or broken while a record comes, or a photo. What fails is put into the file handles of this process, so that everything above
 * them is the program as it runs. After an error of fsync the program ends, as it would, and starts anew on the same disk.
 */
export async function brokenDisk(kit: Kit, history: History): Promise<number> {
  const handles = await handlesOfNode()
  let runs = 0
  for (let round = 0; round < rounds; round++) for (const fault of faults) for (const nth of nths) for (const what of ['record', 'photo'] as const) {
    const phone = await kit.enrol()
    const photo = randomBytes(40_000)
    const id = `${Buffer.from(sha256(photo)).toString('hex')}-${photo.length}`
    const list = writePhotos([{ page: 1, shot: 1, kind: 'original', size_bytes: photo.length, sha256: sha256(photo) }])
    const record = await phone.record({ photos: sha256(list) })
    const hash = history.sent(record)
    const sendRecord = async (): Promise<void> => {
      const heard = await exchange(kit.port(), recapRequest(phone.token, record))
      if (heard !== null) history.answered(hash, heard)
    }
    const sendPhoto = async (): Promise<void> => {
      const headers = { authorization: `Bearer ${phone.token}`, 'tus-resumable': '1.0.0' }
      await exchange(kit.port(), requestOf('PUT', `/v1/recaps/${hash}/photos`, { authorization: headers.authorization, 'content-type': list_type }, list))
      const from = Number((await exchange(kit.port(), requestOf('HEAD', `/v1/photos/${id}`, headers, new Uint8Array())))?.headers.get('upload-offset') ?? 0)
      const heard = await exchange(kit.port(), requestOf('PATCH', `/v1/photos/${id}`, { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from) }, photo.subarray(from)))
      if (heard?.status === 204) history.kept(id, Number(heard.headers.get('upload-offset')))
    }
    if (what === 'photo') await sendRecord()
    const mend = breakNth(handles, fault, nth)
    await (what === 'record' ? sendRecord() : sendPhoto())
    const hasFailed = mend()
    if (fault.isFatal && hasFailed && kit.fatal.splice(0).length === 0) throw new Error('an error of fsync did not end the program')
    if (fault.isFatal && hasFailed) await kit.reopen()
    await sendRecord()
    await sendPhoto()
    if (!history.photos.has(id)) throw new Error(`a photo did not come after ${fault.call} ${fault.code}`)
    runs++
  }
  return runs
}

async function handlesOfNode(): Promise<Handles> {
  const folder = mkdtempSync(join(tmpdir(), 'kawal-handles-'))
  const probe = await open(join(folder, 'probe'), 'w')
  const handles = Object.getPrototypeOf(probe) as FileHandle as unknown as Handles
  await probe.close()
  rmSync(folder, { recursive: true, force: true })
  return handles
}

/** @returns how to mend it, which says whether it has failed */
function breakNth(handles: Handles, { call, code }: (typeof faults)[number], nth: number): () => boolean {
  const real = handles[call]
  let calls = 0
  handles[call] = function (this: unknown, ...given) {
    return ++calls === nth ? Promise.reject(Object.assign(new Error(code), { code, syscall: call === 'datasync' ? 'fdatasync' : 'write' })) : real.apply(this, given)
  }
  return () => {
    handles[call] = real
    return calls >= nth
  }
}
