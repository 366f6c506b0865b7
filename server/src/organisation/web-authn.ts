import { generateAuthenticationOptions, generateRegistrationOptions, verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { isIP } from 'node:net'
import type { PasskeyAssertion, PasskeyCreated } from '@kawal/contract/log-in.ts'
import { fail, ok, type Result } from '@kawal/core/kernel/result.ts'
import { ceremony_ms } from './ceremony.ts'
import type { NewCredential } from './passkeys.ts'

/** Where passkeys of this installation are made and work, and nowhere else. */
export interface PasskeySite {
  readonly rpId: string
  readonly origin: string
}

/**
 * WebAuthn takes names of hosts and no addresses. This machine is `localhost` to a browser, whatever address it was
 * asked at; any other address has no passkeys.
 * @param url where people find the server; null where nobody said
 */
export function passkeySite(url: string | null): PasskeySite | null {
  if (url === null) return null
  const { hostname, origin } = new URL(url)
  const address = hostname.replace(/^\[|\]$/g, '')
  if (isIP(address) === 0) return { rpId: hostname, origin }
  return address === '127.0.0.1' || address === '::1' ? { rpId: 'localhost', origin: origin.replace(hostname, 'localhost') } : null
}

/** COSE's EdDSA, ES256 and RS256, which every device has one of. Node still calls experimental what the library would ask for first, ML-DSA. */
const algorithms = [-8, -7, -257]

/** Of a UUID: it names the person to his device, and tells nothing of him. */
const handleOf = (staff: string): Buffer => Buffer.from(staff.replaceAll('-', ''), 'hex')

interface Person { readonly staff: string; readonly name: string; readonly organisation: string }

/** What a browser makes a passkey by: one that its device finds by itself, so that nobody types a name. */
export function creationOptions({ rpId }: PasskeySite, { staff, name, organisation }: Person, credentials: readonly string[]): ReturnType<typeof generateRegistrationOptions> {
  return generateRegistrationOptions({
    rpName: 'Kawal Sinyal', rpID: rpId, userID: new Uint8Array(handleOf(staff)), userName: `${name}, ${organisation}`, userDisplayName: name, timeout: ceremony_ms, attestationType: 'none', supportedAlgorithmIDs: algorithms,
    excludeCredentials: credentials.map((id) => ({ id })), authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
  })
}

export function assertionOptions({ rpId }: PasskeySite): ReturnType<typeof generateAuthenticationOptions> {
  return generateAuthenticationOptions({ rpID: rpId, userVerification: 'preferred', timeout: ceremony_ms })
}

/** @returns why it is not proven, for the log */
export async function proveCreation({ id, rawId, type, response: { clientDataJSON, attestationObject } }: PasskeyCreated, { rpId, origin }: PasskeySite, challenge: string): Promise<Result<NewCredential, string>> {
  return whyNot(async () => {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId, type, response: { clientDataJSON, attestationObject }, clientExtensionResults: {} },
      expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId, requireUserVerification: false, supportedAlgorithmIDs: algorithms,
    })
    return verified ? ok(registrationInfo.credential) : fail('the attestation does not hold')
  })
}

/** @returns the device's count of its uses, or why it is not proven */
export async function proveAssertion({ id, rawId, type, response }: PasskeyAssertion, { rpId, origin }: PasskeySite, challenge: string, publicKey: Buffer, staff: string): Promise<Result<number, string>> {
  const { clientDataJSON, authenticatorData, signature, userHandle } = response
  if (userHandle !== handleOf(staff).toString('base64url')) return fail('the device names another person')
  return whyNot(async () => {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { id, rawId, type, response: { clientDataJSON, authenticatorData, signature, userHandle }, clientExtensionResults: {} },
      expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpId, requireUserVerification: false,
      // The library would look at the count before the signature: anybody could then have a passkey called copied. The database looks at it afterwards.
      credential: { id, publicKey: new Uint8Array(publicKey), counter: 0 },
    })
    return verified ? ok(authenticationInfo.newCounter) : fail('the signature is not of this passkey')
  })
}

/** The library throws for whatever does not fit. */
async function whyNot<T>(work: () => Promise<Result<T, string>>): Promise<Result<T, string>> {
  try {
    return await work()
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}
