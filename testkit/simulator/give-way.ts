import { constants, setPriority } from 'node:os'

/** Minutes of one processor, in a time of their own: whoever waits for a screen or for a server comes first. To be imported for this alone. */
setPriority(constants.priority.PRIORITY_LOW)
