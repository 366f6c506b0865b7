import { figuresOf } from '@kawal/core/recap/comparison.ts'
import type { Recap } from '@kawal/core/recap/record.ts'
import { sha256 } from '../ledger/cryptography.ts'

const kept_bytes = 16

/** What the database compares records by: the beginning of SHA-256 over their figures, 16 bytes. */
export const figuresHash = (recap: Recap): Buffer => Buffer.from(sha256(Buffer.from(figuresOf(recap))).subarray(0, kept_bytes))
