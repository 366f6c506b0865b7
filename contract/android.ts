import { Type, type Static } from 'typebox'
import { Timestamp } from './report.ts'

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** `GET /v1/android`: the package of Sigmon for Android that the platform hands out. Phones of years past read it: fields are added, never changed. */
export const AndroidPublished = Type.Object({
  versionCode: Type.Integer({ minimum: 1, description: 'rises with each version: the phone compares this' }),
  versionName: Type.String({ maxLength: 40 }),
  sha256: Type.String({ ...Sha256, description: 'of the file' }),
  certificate: Type.String({ ...Sha256, description: 'SHA-256 of the certificate that signed it: a phone takes an update by the same alone' }),
  bytes: Type.Integer({ minimum: 1 }),
  minSdk: Type.Integer({ minimum: 1, description: 'the lowest API level of Android that takes it' }),
  publishedAt: Timestamp,
  leaf: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'index of its entry in the log of acts (spec/acts.md); null: not there yet, it is within seconds' }),
  url: Type.String({ description: 'where the file is, on this platform' }),
})
export type AndroidPublished = Static<typeof AndroidPublished>
