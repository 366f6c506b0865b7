import type { RecapState } from '@kawal/contract/recap.ts'
import type { Ballot, Contest } from '@kawal/core/recap/form.ts'
import type { Photo } from '@kawal/core/recap/photo.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import type { UnsentPhoto } from '@kawal/core/recap/sending.ts'
import type { Totals } from '@kawal/core/recap/totals.ts'

/** What an officer filled in, to be signed. */
export interface Filled {
  /** 13 digits. */
  readonly station: string
  readonly contest: Contest
  readonly ballot: Ballot
  /** Voters of one station at most. */
  readonly ceiling: number
  readonly totals: Totals
  readonly shots: readonly Shot[]
  /** Hash of the record that it corrects, hex; null for none. */
  readonly replaces: string | null
  /** Where the phone is; null where it may not say. */
  readonly place: Recap['place']
}

/** A photo as a file. */
export interface Shot extends Pick<Photo, 'page' | 'shot' | 'kind'> { readonly bytes: ArrayBuffer }

/** A record on this phone, and what became of it. Nothing of it is ever deleted here. */
export interface KeptRecap {
  /** SHA-256 of the signed bytes, hex. */
  readonly hash: string
  /** As they were signed: never made again. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** By the phone's clock. */
  readonly madeAt: number
  /** The list of photos as it was hashed. */
  readonly list: Uint8Array<ArrayBuffer>
  readonly photos: readonly UnsentPhoto[]
  readonly isListKept: boolean
  /** The ledger's answer, a tlog-proof; null: it has not said that it has the record. */
  readonly receipt: string | null
  /** Whether the receipt was verified on this phone. */
  readonly isProven: boolean
  /** Of a record that another phone signed and this one carries: its public key, raw, in base64url, or null where that is not known. */
  readonly carriedFor?: string | null
  /** Boxes at access points that have it; not there in what an earlier version kept. */
  readonly custody?: readonly Custody[]
  /** A tlog-proof that a quorum of witnesses has seen the ledger with it, verified on this phone, and who when (s since 1970, as each says). */
  readonly witnessed?: { readonly text: string; readonly by: readonly { readonly name: string; readonly at_s: number }[] }
  /** A tlog-proof of KPU's answer, verified on this phone; its `extra` is the entry of the ledger. */
  readonly delivery?: string
  /** What the server last said of it; without `side` in what an earlier version kept. */
  readonly said: (Pick<RecapState, 'state' | 'reason' | 'detail' | 'deliveredAt'> & Partial<Pick<RecapState, 'side'>>) | null
  /** Why the server takes these bytes for no record: people have to look, and it holds nothing up. */
  readonly refusal: string | null
}

/** A record that another officer's phone carries. */
export interface Carried {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The public key that signed it, raw, in base64url; null where its phone did not give that too. */
  readonly key: string | null
}

/** What a box at an access point has of a record. */
export interface Custody {
  /** When it took it, by the phone's clock. */
  readonly at: number
  /** Of the box's own log (`NAME+ID+KEY`). */
  readonly key: string
  /** A tlog-proof of that log, verified on this phone. */
  readonly receipt: string
  readonly isListKept: boolean
  /** Bytes that it has of each photo, by its id. */
  readonly sent: Readonly<Record<string, number>>
}

export type Draft = Pick<Filled, 'totals' | 'shots'>
/** `key_unusable`: no kind of key works in this browser; `full`: the phone has no room. */
export type SignFault = 'key_unusable' | 'full' | 'form_unknown'

/** Recaps on this phone: loaded when there is one, or when the officer wants to make one. */
export interface Recaps {
  /** Signs once and keeps it on disk, with its photos, before it says so; then carries it. */
  sign(filled: Filled): Promise<KeptRecap | SignFault>
  /** Takes a record in that another phone signed, to carry it. @returns null for bytes that are no record */
  adopt(carried: Carried): Promise<KeptRecap | null>
  /** In the order in which they were signed. */
  all(): Promise<KeptRecap[]>
  /** What was filled in and is not signed yet; null for nothing. */
  draft(contest: Contest): Promise<Draft | null>
  keepDraft(contest: Contest, draft: Draft | null): Promise<void>
  /** Whether anything of them is still to be sent. */
  anythingWaits(): Promise<boolean>
  /** Whether witnesses are asked: a logged record is witnessed soon. */
  hasWitnesses(): boolean
  /** When this station's turn for photos begins at its access point; null: they go at once. */
  photosFrom(): number | null
  /** As a link, which its QR holds. */
  linkOf(recap: KeptRecap): Promise<string>
  /** A photo as it was signed for, by its id. */
  photo(id: string): Promise<ArrayBuffer | undefined>
  /** The signed bytes as a file, for another officer to carry. */
  fileOf(recap: KeptRecap): Blob
  readonly sender: {
    trigger(why: 'kept' | 'reached' | 'online' | 'visible' | 'button' | 'timer'): Promise<void>
    /** Why what waits is not sent yet, and when it is tried again at the latest. `status` 0: no answer. */
    state(): { readonly status: number; readonly retryAt: number } | null
    stop(): void
  }
}
