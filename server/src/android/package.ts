import { createHash } from 'node:crypto'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { Unreadable } from './cursor.ts'
import { readManifest, type Manifest } from './manifest.ts'
import { permissionPurposes } from './permissions.ts'
import { verifySigned } from './signature.ts'
import { readZip, unzip } from './zip.ts'

/** A package that a phone would install: whole, and signed. */
export interface AndroidPackage extends Omit<Manifest, 'marks'> {
  /** Hex: of the file, and of the certificate that signed it. */
  readonly sha256: string
  readonly certificate: string
  readonly bytes: number
  readonly schemes: readonly ('v2' | 'v3')[]
}

export const package_bytes_max = 1_048_576
const manifest_bytes_max = 262_144
/** Android 7: earlier phones know no signature over the whole file. */
const sdk_min = 24

/** Reads a package as a phone would before it installs it. @returns a sentence for what is none */
export function readPackage(bytes: Buffer): Result<AndroidPackage & Pick<Manifest, 'marks'>, string> {
  if (bytes.length > package_bytes_max) return fail(`The package has ${bytes.length} bytes, and may have ${package_bytes_max}: phones fetch it by the signal that there is.`)
  try {
    const zip = readZip(bytes)
    const { certificate, schemes, blockAt } = verifySigned(bytes, zip)
    const entry = zip.entries.get('AndroidManifest.xml')
    if (entry === undefined || !zip.entries.has('classes.dex') || entry.bytes > manifest_bytes_max) throw new Unreadable('This is no Android package: it lacks AndroidManifest.xml or classes.dex.')
    return ok({ ...readManifest(unzip(bytes, entry, blockAt)), sha256: createHash('sha256').update(bytes).digest('hex'), certificate, bytes: bytes.length, schemes })
  } catch (error) {
    if (error instanceof Unreadable) return fail(error.message)
    throw error
  }
}

/** Why the platform does not hand a sound package out; null where it does. */
export function refusal({ minSdk, permissions, marks }: AndroidPackage & Pick<Manifest, 'marks'>): string | null {
  const more = permissions.filter((each) => !Object.hasOwn(permissionPurposes, each))
  if (more.length > 0) return `The package asks for ${more.join(', ')}. What Sigmon may ask for, and why, is in server/src/android/permissions.ts and on the page of installation: nothing beyond it is handed out.`
  if (marks.length > 0) return `The package is marked as ${marks.join(' and ')}: it is for who develops it, not for phones of officers. Build it without.`
  return minSdk < sdk_min ? `The package is for Android from API level ${minSdk} on. Below ${sdk_min} (Android 7) no phone verifies its signature: raise minSdkVersion.` : null
}
