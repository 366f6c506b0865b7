import { hash } from 'node:crypto'

/** Officers with the app at a station; the numbering of devices stands on it. */
export const station_phones = 7
const code_digits = 13
/** 32 bytes in base64url. */
const proof_bytes = 43
const id_start = '00000000-0000-4000-8000-'
/** Shares of the operators among phones, in 1/16, by PLMN code: about Telkomsel 9, Indosat 4, XLSmart 3. */
export const sims = ['51010', '51010', '51010', '51010', '51010', '51010', '51010', '51010', '51010', '51001', '51001', '51001', '51021', '51011', '51011', '51009'] as const

/** The id that a phone of this number has in the database. */
export const idOf = (key: number): string => id_start + key.toString(16).padStart(12, '0')

export type Phones = ReturnType<typeof createPhones>

/**
 * The devices of a nation, numbered from 1, seven a station: their tokens, made as the server makes them
 * (`deviceToken`, server/src/measurement/enrolment.ts), their SIMs and how far their sequences are.
 * @param stations codes of 13 digits, end to end
 */
export function createPhones({ stations, secret, count }: { readonly stations: Buffer; readonly secret: Buffer; readonly count: number }) {
  if (stations.length * station_phones < count * code_digits) throw new RangeError(`${stations.length / code_digits} stations have no ${count} phones`)
  const proofs = Buffer.alloc(count * proof_bytes)
  const codeAt = (key: number): number => Math.floor((key - 1) / station_phones) * code_digits
  const hex = Buffer.from('0123456789abcdef')
  /** Writes what a token names: id, key and station. @returns where it ends */
  const writeName = (key: number, into: Buffer, at: number): number => {
    at += into.write(id_start, at, 'latin1')
    for (let digit = 11, rest = key; digit >= 0; digit--, rest = Math.floor(rest / 16)) into[at + digit] = hex[rest % 16] as number
    at += 12
    into[at++] = 0x2e
    at += into.write(String(key), at, 'latin1')
    into[at++] = 0x2e
    return at + stations.copy(into, at, codeAt(key), codeAt(key) + code_digits)
  }
  const stationOf = (key: number): string => stations.toString('latin1', codeAt(key), codeAt(key) + code_digits)
  const prove = prover(secret)
  for (let key = 1; key <= count; key++) prove((into, at) => writeName(key, into, at)).copy(proofs, (key - 1) * proof_bytes)
  const sequences = new Uint16Array(count + 1)
  return {
    count,
    stationOf,
    simOf: (key: number): number => mix(key) & 15,
    /** Numbers rise by one, and by two where a goodbye that was kept back is never sent. @returns the first of `samples` numbers */
    take(key: number, samples: number): number {
      const last = sequences[key] ?? 0
      const firstOne = last + ((mix(key + last * 7919) & 31) === 0 ? 2 : 1)
      sequences[key] = firstOne + samples - 1
      return firstOne
    },
    /** Writes the token. @returns where it ends */
    writeToken(key: number, into: Buffer, at: number): number {
      at = writeName(key, into, at)
      into[at++] = 0x2e
      return at + proofs.copy(into, at, (key - 1) * proof_bytes, key * proof_bytes)
    },
  }
}

const block_bytes = 64

/** HMAC-SHA-256 (RFC 2104) of `device NAME` in base64url, by two hashes of one buffer: millions of them are wanted, and `createHmac` takes four times as long. */
function prover(secret: Buffer): (write: (into: Buffer, at: number) => number) => Buffer {
  const inner = Buffer.alloc(256, 0x36)
  const outer = Buffer.alloc(block_bytes + 32, 0x5c)
  secret.forEach((byte, i) => {
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  })
  const start = block_bytes + inner.write('device ', block_bytes, 'latin1')
  return (write) => {
    hash('sha256', inner.subarray(0, write(inner, start)), 'buffer').copy(outer, block_bytes)
    return Buffer.from(hash('sha256', outer, 'base64url'), 'latin1')
  }
}

/** Spreads a whole number over 32 bits: the finaliser of MurmurHash3 (A. Appleby, public domain). */
export function mix(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
