import { fail, ok, type Result } from '../kernel/result.ts'
import { joinBytes } from './bytes.ts'
import { tile_width } from './tiles.ts'

/** Entry bundles of C2SP tlog-tiles: up to 256 entries, each after its length as 16 bits, the higher byte first. */

/** What the length can say. */
export const entry_bytes_max = 65_535

/** @returns the entries as a bundle, or as what is added to one; `entry_too_long` where one has over 65,535 bytes */
export function bundleOf(entries: readonly Uint8Array[]): Result<Uint8Array, 'entry_too_long'> {
  if (entries.some((entry) => entry.length > entry_bytes_max)) return fail('entry_too_long')
  return ok(joinBytes(entries.flatMap((entry) => [Uint8Array.of(Math.floor(entry.length / 256), entry.length % 256), entry])))
}

/** The entries of a bundle. `bundle_cut`: it ends within an entry; `bundle_width`: it has none, or more than 256. */
export function readBundle(bytes: Uint8Array): Result<Uint8Array[], 'bundle_cut' | 'bundle_width'> {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    if (entries.length === tile_width) return fail('bundle_width')
    const [high = 0, low] = bytes.subarray(at, at + 2)
    const end = at + 2 + high * 256 + (low ?? 0)
    if (low === undefined || end > bytes.length) return fail('bundle_cut')
    entries.push(bytes.slice(at + 2, end))
    at = end
  }
  return entries.length === 0 ? fail('bundle_width') : ok(entries)
}
