import type { PasskeyAssertion, PasskeyCreated } from '@kawal/contract/log-in.ts'

/** Why a browser or a device made or gave no passkey. It does not tell who cancelled from who has none. */
export type PasskeyFault = 'unsupported' | 'cancelled' | 'already' | 'failed'
type Made<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: PasskeyFault }

/** Browsers that do not read and write the JSON of WebAuthn level 3 themselves are too old; without TLS none has passkeys, this machine apart. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential === 'function' && typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function'

/** @param options as the server gives them */
export const makePasskey = (options: object): Promise<Made<PasskeyCreated>> =>
  made(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON) }))

/** @param options as the server gives them */
export const givePasskey = (options: object): Promise<Made<PasskeyAssertion>> =>
  made(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON) }))

async function made<T>(ask: () => Promise<Credential | null>): Promise<Made<T>> {
  if (!hasPasskeys()) return { ok: false, fault: 'unsupported' }
  try {
    const credential = await ask()
    return credential instanceof PublicKeyCredential ? { ok: true, value: credential.toJSON() as T } : { ok: false, fault: 'failed' }
  } catch (error) {
    return { ok: false, fault: faults[error instanceof DOMException ? error.name : ''] ?? 'failed' }
  }
}

/** Names of WebAuthn's errors (level 3, sections 5.1.3 and 5.1.4). */
const faults: Readonly<Record<string, PasskeyFault>> = { NotAllowedError: 'cancelled', AbortError: 'cancelled', InvalidStateError: 'already', NotSupportedError: 'unsupported', ConstraintError: 'unsupported' }
