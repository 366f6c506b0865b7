import type { OversightWords } from './oversight-id.ts'

/** The words of oversight in English, loaded with it. */
export const oversightEn: OversightWords = {
  how: 'For whoever would rather not take our word. Nothing here changes a recap; each part can be checked elsewhere, with tools of others.',
  parts: 'Parts of oversight',
  part: { ledger: 'Ledger', sample: 'Sample' },
  noLedger: 'No ledger is open at this server',
  noLedgerHow: 'Recaps are not taken in, or their ledger is stopped until people have looked at it. See the log of the server and docs/operating/recaps.md.',
  unreadable: 'This checkpoint cannot be read. Keep what it says, and ask whoever keeps the ledger.',
  origin: 'Name',
  size: 'Entries',
  root: 'Root of the tree',
  signers: 'Signed by',
  key: 'The key of the ledger',
  keyHow: 'Hold it against the one that you got another way: on paper, or from Bawaslu. A key that you only have from here proves nothing.',
  checkpoint: 'The newest checkpoint',
  checkpointHow: 'Keep it. Whoever kept it can prove later that nothing was changed since now.',
  download: 'Download the checkpoint',
  self: 'Check it yourself',
  selfHow: 'Reads every entry, makes the root anew, and holds it against what you saw before. Run it on any machine; other ways, without our program, are in docs/operating/verify.md.',
  stateFile: 'seen.checkpoint',
}
