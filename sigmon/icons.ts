import { crc32, deflateSync } from 'node:zlib'
import type { Plugin } from 'vite'

/** The icon in 64 by 64, as in public/icon.svg: three bars on blue. Phones want it as PNG too, to be installable. */
const ground = [0x0b, 0x3d, 0x6b] as const
const bars = [[14, 38, 8, 12], [28, 27, 8, 23], [42, 14, 8, 36]] as const
/** A maskable icon may be cut to a circle of 80 % (W3C, Web Application Manifest): the drawing is kept inside it. */
const maskable_scale = 0.72

/** An RGB image in 8 bits a channel without a filter: PNG, third edition, 5.3 and 11.2. */
function iconPng(side: number, scale = 1): Buffer {
  const inside = (x: number, y: number): boolean => {
    const [u, v] = [((x + 0.5) / side - 0.5) / scale * 64 + 32, ((y + 0.5) / side - 0.5) / scale * 64 + 32]
    return bars.some(([left, top, width, height]) => u >= left && u < left + width && v >= top && v < top + height)
  }
  const rows = Buffer.alloc(side * (1 + side * 3))
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
    const at = y * (1 + side * 3) + 1 + x * 3
    const [red, green, blue] = inside(x, y) ? [255, 255, 255] : ground
    rows[at] = red
    rows[at + 1] = green
    rows[at + 2] = blue
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([8, 2, 0, 0, 0], 8)
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

export const icons = (): Plugin => ({
  name: 'icons',
  generateBundle() {
    for (const [name, side, scale] of [['icon-192', 192, 1], ['icon-512', 512, 1], ['icon-maskable-512', 512, maskable_scale]] as const) this.emitFile({ type: 'asset', fileName: `${name}.png`, source: iconPng(side, scale) })
  },
})
