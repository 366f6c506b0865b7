import type { ReportBatch, ReportReceipt } from '@kawal/contract/report.ts'
import { read } from '../request.ts'

/** How a batch goes over the wire. */
export interface Wire {
  readonly type: string
  write(batch: ReportBatch): BodyInit
  /** @returns null when the answer is no receipt */
  receipt(answer: Response): Promise<ReportReceipt | null>
}

export const jsonWire: Wire = { type: 'application/json', write: (batch) => JSON.stringify(batch), receipt: async (answer) => receiptOf(await read(answer)) }

export function receiptOf(body: unknown): ReportReceipt | null {
  const receipt = body as Partial<ReportReceipt> | null
  return typeof receipt?.accepted === 'number' && Array.isArray(receipt.quarantined) ? (receipt as ReportReceipt) : null
}
