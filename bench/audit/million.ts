import { spawn } from 'node:child_process'
import { createReadStream, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { formatCheckpoint } from '@kawal/core/ledger/checkpoint.ts'
import { emptyEdge, grow, type Edge, type TileFile } from '@kawal/core/ledger/growth.ts'
import { formatVerifierKey } from '@kawal/core/ledger/key.ts'
import { frontierOf, rootOf } from '@kawal/core/ledger/merkle.ts'
import { formatNote } from '@kawal/core/ledger/note.ts'
import { signText } from '@kawal/core/ledger/signature.ts'
import { hashFromTiles, tilePath, tile_width } from '@kawal/core/ledger/tiles.ts'
import { writeEntry } from '@kawal/core/recap/entry.ts'
import { sha256 } from '@kawal/server/src/ledger/cryptography.ts'
import { noteKey } from '@kawal/testkit/ed25519.ts'
import { recapPhone } from '@kawal/testkit/recap-phone.ts'
import { seeded } from '@kawal/core/kernel/random.ts'
import { randomBytes } from './entries.ts'

interface Million {
  readonly url: string
  /** As text. */
  readonly key: string
  close(): void
}

const phones = 64
/** Signed once and taken again and again: a million signatures would be made for longer than they are verified. */
const each_records = 100
const chunk = 10 * tile_width

/** A log of so many entries, half of them records that phones signed with P-256, served by a plain web server from a folder. */
export async function serveLog(leaves: number, folder: string): Promise<Million> {
  const voice = noteKey('kawal.example/ledger')
  const entries = await drawnRound()
  const held = new Map<string, Uint8Array>()
  const write = ({ tile, bytes }: TileFile): void => {
    const path = join(folder, tilePath(tile))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
  }
  let edge: Edge = emptyEdge
  while (edge.size < leaves) {
    const first = edge.size
    const grown = grow(edge, Array.from({ length: Math.min(chunk, leaves - first) }, (_, nth) => entries[(first + nth) % entries.length] as Uint8Array), sha256)
    if (!grown.ok) throw new Error(grown.error)
    ;({ edge } = grown.value)
    for (const file of grown.value.files) if (file.tile.width === tile_width || edge.size === leaves) write(file)
  }
  for (const [level, bytes] of edge.tiles.entries()) if (bytes.length > 0) held.set(String(level), bytes)
  for (const [level, bytes] of edge.tiles.entries()) if (bytes.length > 0) write({ tile: { level, index: Math.floor(leaves / tile_width ** (level + 1)), width: bytes.length / 32 }, bytes })
  const root = rootOf(frontierOf(leaves, hashFromTiles(leaves, ({ level }) => held.get(String(level)) ?? new Uint8Array(), sha256)), sha256)
  const text = formatCheckpoint({ origin: voice.key.name, size: leaves, root, extensions: [] })
  writeFileSync(join(folder, 'checkpoint'), formatNote({ text, signatures: [await signText(text, voice.key, voice.signBy)] }))
  const server = createServer((request, response) => {
    const path = join(folder, request.url ?? '')
    const stat = statSync(path, { throwIfNoEntry: false })
    if (stat?.isFile() !== true) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-length': stat.size })
    createReadStream(path).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: formatVerifierKey(voice.key), close: () => server.close() }
}

/** Enrolments first; then records and what KPU answered. */
async function drawnRound(): Promise<Uint8Array[]> {
  const random = seeded(1)
  const all = await Promise.all(Array.from({ length: phones }, () => recapPhone('1101012001001')))
  const entries = all.map(({ publicKey }, nth) => writeEntry({ kind: 'enrolment', device: randomBytes(16, random), station: '1101012001001', publicKey, at: nth }))
  for (const phone of all) for (let nth = 0; nth < each_records; nth++) {
    const envelope = await phone.record()
    entries.push(writeEntry({ kind: 'recap', envelope }), writeEntry({ kind: 'delivery', recap: sha256(envelope), status: 201, answer: randomBytes(32, random), at: nth }))
  }
  return entries
}

/** Runs a program to its end. @returns seconds that it took, and what it said */
export async function timed(program: string, args: readonly string[]): Promise<{ readonly seconds: number; readonly out: string }> {
  const began = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ''} ended with ${String(code)}`)
  return { seconds: (performance.now() - began) / 1000, out }
}
