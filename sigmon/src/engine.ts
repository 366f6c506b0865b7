import type { Session } from './session.ts'
import type { SigmonConfig } from '@kawal/contract/sigmon.ts'
import type { Net } from './check/net.ts'
import type { Duty } from './duty.ts'
import type { Enrolment } from './enrol.ts'
import type { Environment } from './environment.ts'
import type { Identities } from './identities.ts'
import type { Choices, Measuring } from './measuring.ts'
import type { Packs } from './pack.ts'
import type { Problems } from './problems.ts'
import type { Queue } from './queue/queue.ts'
import type { Sender } from './queue/send.ts'
import type { Publishing } from './published.ts'
import type { RecapPart } from './recap/part.ts'
import type { ShellPart } from './shell/part.ts'
import type { Store } from './store.ts'
import type { Trust } from './trust.ts'
import type { Updates } from './update.ts'
import type { View } from './view.ts'

/** The parts of the engine, put together. */
export interface Engine {
  readonly env: Environment
  readonly net: Net
  readonly store: Store
  readonly view: View
  readonly identities: Identities
  readonly trust: Trust
  readonly packs: Packs
  readonly queue: Queue
  readonly sender: Sender
  readonly recaps: RecapPart
  readonly duty: Duty
  readonly measuring: Measuring
  readonly problems: Problems
  readonly updates: Updates
  readonly enrolment: Enrolment
  /** Null in a browser. */
  readonly shell: ShellPart | null
  /** Null where no Android app can be had. */
  readonly publishing: Publishing | null
  config(): SigmonConfig
  choices(): Choices
  choose(choice: Parameters<Session['choose']>[0]): Promise<void>
  /** Takes up what is kept: at the start, and when another tab changed it. */
  reload(): Promise<void>
}
