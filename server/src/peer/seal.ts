import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

/** AES-256-GCM (NIST SP 800-38D): 96 bits drawn anew for each sealing, and a tag of 128. */
const cipher = 'aes-256-gcm'
const [iv_bytes, tag_bytes] = [12, 16]

const keyOf = (deployment: Buffer, organisation: string): Buffer => createHmac('sha256', deployment).update(`peer ${organisation}`).digest()

/** A text that only this deployment reads again, and only as this organisation's. */
export function seal(deployment: Buffer, organisation: string, text: string): Buffer {
  const iv = randomBytes(iv_bytes)
  const sealing = createCipheriv(cipher, keyOf(deployment, organisation), iv)
  return Buffer.concat([iv, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()])
}

/** @throws for what was sealed by another deployment, for another organisation, or changed since */
export function unseal(deployment: Buffer, organisation: string, sealed: Buffer): string {
  const opening = createDecipheriv(cipher, keyOf(deployment, organisation), sealed.subarray(0, iv_bytes), { authTagLength: tag_bytes })
  opening.setAuthTag(sealed.subarray(-tag_bytes))
  return Buffer.concat([opening.update(sealed.subarray(iv_bytes, -tag_bytes)), opening.final()]).toString('utf8')
}
