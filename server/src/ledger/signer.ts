import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readdir, readFile, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sameBytes } from '@kawal/core/ledger/bytes.ts'
import { formatCheckpoint, readCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { formatSignerKey, readSignerKey, verifierKey, type KeyAlgorithm, type VerifierKey } from '@kawal/core/ledger/key.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { signText } from '@kawal/core/ledger/signature.ts'
import { FsyncFailed, syncFolder, writeDurably } from '../durable.ts'
import { publicKeyOf, sha256, signerOf } from './cryptography.ts'

/** What was signed last: a log of this size with this root. */
export interface SignedTree { readonly size: number; readonly root: Uint8Array }

/** The signer cannot go on: its folder, or the database, is not the one that it was. Nothing is signed until people have looked. */
export class SignerRefused extends Error {}

export interface LogSigner {
  /** Its name is the log's origin. */
  readonly key: VerifierKey
  /** The newest tree that was ever signed; size 0 for none. */
  newest(): SignedTree
  /**
   * Signs a tree that begins with the newest one.
   * @param from the newest, as the caller knows it
   * @returns the signed note, which is the same each time
   * @throws SignerRefused where another is the newest: nothing was signed
   */
  sign(from: SignedTree, to: SignedTree): Promise<string>
}

/**
 * Where the signer keeps its key and its newest tree. A file is there whole or not at all. What was done before a `sync` that resolved outlives any stop; what
 * was done since may be there after one, or not.
 */
export interface SignerFolder {
  /** For people. */
  readonly path: string
  /** None where there is no folder yet. */
  names(): Promise<string[]>
  /** @returns null where there is none */
  read(name: string): Promise<string | null>
  /** Makes a file; of many who make the same at once one does. @returns false where one is: it stays as it is */
  place(name: string, text: string): Promise<boolean>
  remove(name: string): Promise<void>
  sync(): Promise<void>
}

const key_file = 'key'
const digits = 16
const empty: SignedTree = { size: 0, root: sha256(new Uint8Array()) }

/**
 * The log's key and the newest checkpoint that it signed, in a folder of its own and not in the database: an older copy of
 * the database, put back after a fault, would else have it sign a second history, and everybody who holds a receipt of the
 * first would be right to call the log forged.
 *
 * The newest is a compare-and-swap: the tree that follows one of N entries is written as `after-N`, by a link that
 * fails where there is one. Whoever comes with an N that was left behind finds one that is further on, since the
 * newest is always there, and takes its own away again. Signed is only what was swapped.
 * @param origin for a new key; an old one keeps its own
 */
export async function openSigner(folder: SignerFolder, origin: string, isNew: boolean): Promise<LogSigner> {
  if (!isNew && (await folder.read(key_file)) === null) throw new SignerRefused(`The key of the ledger is not in ${folder.path}, and the database holds entries that it signed. Put the folder back, or say with --ledger or --acts where it is.`)
  const { key, sign } = await openKey(folder, origin, 'ed25519')
  const { name, id } = key
  let newest = await readNewest(folder, name)
  // Placed right before a kill, it may not be on disk yet: what is signed from here on must not outlive it.
  if (newest.size > 0) await folder.sync()

  return {
    key,
    newest: () => newest,
    async sign(from, to) {
      if (from.size !== newest.size || !sameBytes(from.root, newest.root)) throw new SignerRefused(`the newest tree that was signed has ${newest.size} entries, not ${from.size}, or another root`)
      const text = formatCheckpoint({ origin: name, size: to.size, root: to.root, extensions: [] })
      if (to.size < newest.size || (to.size === newest.size && !sameBytes(to.root, newest.root))) throw new SignerRefused(`a log of ${newest.size} entries was signed, and shall not become one of ${to.size}`)
      if (to.size > newest.size) {
        await swap(folder, newest.size, text)
        newest = to
      }
      return formatNote({ text, signatures: [await signText(text, { name, id }, sign)] })
    },
  }
}

const nameAfter = (size: number): string => `after-${String(size).padStart(digits, '0')}`

/** A key of its own, made where there is none, with what signs by it. @param name of a new key; an old one keeps its own */
export async function openKey(folder: SignerFolder, name: string, algorithm: KeyAlgorithm): Promise<{ readonly key: VerifierKey; readonly sign: (message: Uint8Array) => Uint8Array }> {
  const path = join(folder.path, key_file)
  if ((await folder.read(key_file)) === null) await makeKey(folder, name, algorithm)
  const read = await readSignerKey((await folder.read(key_file) ?? '').trim(), sha256, publicKeyOf)
  const of = algorithm === 'ed25519' ? ['ledger', 'witness'] : ['witness', 'ledger']
  if (!read.ok || read.value.algorithm !== algorithm) throw new SignerRefused(`${path} is no key of a ${of[0]} (${read.ok ? `of a ${of[1]}` : read.error}). Put the one back that was there.`)
  const key = verifierKey(read.value.name, algorithm, publicKeyOf(read.value.seed), sha256)
  if (!key.ok) throw new SignerRefused(`${path}: ${key.error}`)
  return { key: key.value, sign: signerOf(read.value.seed) }
}

async function makeKey(folder: SignerFolder, name: string, algorithm: KeyAlgorithm): Promise<void> {
  const seed = Uint8Array.from(randomBytes(32))
  const key = verifierKey(name, algorithm, publicKeyOf(seed), sha256)
  if (!key.ok) throw new SignerRefused(`${name === '' ? 'Nothing' : name} is no name of a ${algorithm === 'ed25519' ? 'ledger' : 'witness'}: no spaces and no plus signs`)
  await folder.place(key_file, `${formatSignerKey({ ...key.value, seed })}\n`)
  await folder.sync()
}

/** What was swapped last. @returns null for nothing */
export async function newestIn(folder: SignerFolder): Promise<{ readonly file: string; readonly text: string } | null> {
  const file = (await swapped(folder)).at(-1)
  if (file === undefined) return null
  const text = await folder.read(file)
  // It was taken away since, as what follows it was placed: that one is there.
  return text === null ? newestIn(folder) : { file: join(folder.path, file), text }
}

/** Where a stop came between a link and the removal of what it follows there are two: the last is the newest. */
async function readNewest(folder: SignerFolder, origin: string): Promise<SignedTree> {
  const newest = await newestIn(folder)
  if (newest === null) return empty
  const read = readCheckpoint(newest.text)
  if (!read.ok || read.value.origin !== origin) throw new SignerRefused(`${newest.file} is no checkpoint of ${origin}. Put the one back that was there: without it the log could be signed a second time.`)
  const { size, root } = read.value
  return { size, root }
}

/** Their names sort by size. */
const swapped = async (folder: SignerFolder): Promise<string[]> => (await folder.names()).filter((name) => /^after-\d{16}$/.test(name)).sort()

/**
 * Compares and swaps: the text is the newest from then on, after the one of `size` entries.
 * @throws SignerRefused where another tree follows it, or it was left behind
 * @throws FsyncFailed where the tree may be the newest on disk, and is not known to be: who starts again reads which it is
 */
export async function swap(folder: SignerFolder, size: number, text: string): Promise<void> {
  const name = nameAfter(size)
  if (!(await folder.place(name, text))) throw new SignerRefused(`another tree was signed after the one of ${size} entries`)
  try {
    const all = await swapped(folder)
    if (all.at(-1) !== name) {
      await folder.remove(name)
      throw new SignerRefused(`trees larger than one of ${size} entries were signed`)
    }
    await folder.sync()
    for (const older of all.slice(0, -1)) await folder.remove(older)
  } catch (error) {
    throw error instanceof SignerRefused || error instanceof FsyncFailed ? error : new FsyncFailed(`nobody knows whether ${name} is on disk`, { cause: error })
  }
}

/** A folder on disk. */
export function signerFolder(path: string): SignerFolder {
  let isMade = false
  return {
    path,
    names: () => readdir(path).catch(unlessMissing([])),
    read: (name) => readFile(join(path, name), 'utf8').catch(unlessMissing(null)),
    async place(name, text) {
      if (!isMade) {
        await mkdir(path, { recursive: true, mode: 0o700 })
        // What is in it is on disk only when it is itself.
        await syncFolder(dirname(path))
        isMade = true
      }
      // Nobody else's: who signs beside us must not write into what is linked.
      const draft = `draft-${randomUUID()}`
      await writeDurably(path, draft, text)
      try {
        await link(join(path, draft), join(path, name))
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
        return false
      } finally {
        // One that stays is in nobody's way; whether the name is there is known.
        await unlink(join(path, draft)).catch(() => undefined)
      }
    },
    remove: (name) => unlink(join(path, name)),
    sync: () => syncFolder(path),
  }
}

const unlessMissing = <T>(instead: T) => (error: NodeJS.ErrnoException): T => {
  if (error.code === 'ENOENT') return instead
  throw error
}
