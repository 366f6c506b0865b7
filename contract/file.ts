import { Type, type Static } from 'typebox'

/** Bytes of a file that may be attached: a photo of a phone fits. */
export const file_bytes_max = 5 * 1024 * 1024
/** Of the body that carries one, in base64, with what stands around it. */
export const file_body_bytes_max = Math.ceil((file_bytes_max * 4) / 3) + 64 * 1024

/** A file as JSON carries it. */
export const GivenFile = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, description: 'as it is called where it comes from' }),
    mimeType: Type.String({ minLength: 3, maxLength: 100, pattern: '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$' }),
    content: Type.String({ minLength: 1, contentEncoding: 'base64', description: 'base64 (RFC 4648, section 4); at most 5 MiB when read' }),
  },
  { additionalProperties: false },
)
export type GivenFile = Static<typeof GivenFile>
